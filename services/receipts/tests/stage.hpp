#pragma once
// Topics and a database of a test's own, processes to kill, and what they wrote.

#include <base/must.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <crypto/keys.hpp>
#include <delivery/redis/superseded.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/backing.hpp>
#include <support/play.hpp>
#include <support/records.hpp>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>
#include <support/stepped_clock.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>

#include <pqxx/pqxx>

namespace semel::receipts::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using base::must;

using support::play;

inline std::string unique_name() {
    static int count = 0;
    return fmt::format("receipts{}_{}_{}", ::getpid(),
                       std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000'000, ++count);
}

/// A database with a fresh name on the server of SEMEL_TEST_POSTGRES.
class database {
  public:
    database() {
        pqxx::connection c{server()};
        pqxx::nontransaction{c}.exec("CREATE DATABASE " + name_);
    }
    database(const database&) = delete;
    database& operator=(const database&) = delete;
    ~database() {
        pqxx::connection c{server()};
        pqxx::nontransaction{c}.exec("DROP DATABASE " + name_ + " WITH (FORCE)");
    }
    /// The URI with another path: "postgresql://user@host:port/NAME?...".
    std::string dsn() const {
        auto uri = server();
        const auto path = uri.find('/', uri.find("//") + 2);
        const auto end = std::min(uri.find('?', path), uri.size());
        return uri.replace(path, end - path, "/" + name_);
    }

  private:
    static std::string server() { return support::postgres(); }
    std::string name_ = unique_name();
};

struct seen {
    std::vector<v1::Event> events; // a repeated id only once
    std::vector<v1::Dispatch> resends;
    std::size_t dead = 0;

    std::vector<v1::Event> of(std::string_view notification, v1::EventKind kind) const {
        std::vector<v1::Event> out;
        std::ranges::copy_if(events, std::back_inserter(out),
                             [&](const auto& e) { return e.notification() == notification && e.kind() == kind; });
        return out;
    }
    bool has(std::string_view notification, v1::EventKind kind) const { return !of(notification, kind).empty(); }
    std::size_t resends_of(std::string_view notification) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(resends, [&](const auto& d) { return d.notification() == notification; }));
    }
};

class stage {
  public:
    static constexpr std::int32_t partitions = 4;
    static constexpr std::size_t most_of_a_resend = 20'000; // the topic takes no larger record

    explicit stage(std::chrono::milliseconds awaiting_limit = 1'500ms,
                   std::chrono::milliseconds inference_after = 300ms)
        : awaiting_limit_(awaiting_limit)
        , inference_after_(inference_after) {
        std::vector<kafka::topic_spec> topics;
        for (auto t : wire::all_topics(partitions)) {
            if (t.name == wire::events || t.name == wire::gateway_receipts || t.name == wire::doubts ||
                t.name == wire::dead_letter || t.name == wire::ticks || t.name == retry) {
                if (t.name == retry) {
                    t.config["max.message.bytes"] = std::to_string(most_of_a_resend);
                }
                t.name = prefix_ + t.name;
                topics.push_back(std::move(t));
            }
        }
        kafka::admin admin{broker()};
        must(admin.create_topics(topics));
        std::vector<kafka::topic_spec> read;
        for (const auto name : {wire::events, wire::gateway_receipts}) {
            read.push_back({.name = prefix_ + std::string{name}, .partitions = partitions, .config = {}});
        }
        must(admin.write_first_offsets(prefix_ + "receipts", read));
        for (const auto& t : topics) {
            names_.push_back(t.name);
        }
    }
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    ~stage() {
        for (const auto& [instance, pid] : std::map{processes_}) {
            kill(instance);
        }
        std::ignore = kafka::admin{broker()}.delete_topics(names_);
        std::filesystem::remove_all(folder_);
    }

    /// `wall`: its wall clock, instead of the machine's.
    void start(const std::string& instance, const support::stepped_clock* wall = nullptr) {
        std::filesystem::create_directories(folder_);
        std::filesystem::remove(metrics_of(instance)); // a predecessor's
        const std::vector<std::string> args{RECEIPTS_RIG,
                                            broker(),
                                            database_.dsn(),
                                            prefix_,
                                            std::to_string(partitions),
                                            instance,
                                            base::to_hex(key_.view()),
                                            std::to_string(awaiting_limit_.count()),
                                            std::to_string(inference_after_.count()),
                                            std::to_string(redis.port()),
                                            metrics_of(instance)};
        std::vector<char*> argv;
        for (const auto& a : args) {
            argv.push_back(const_cast<char*>(a.data()));
        }
        argv.push_back(nullptr);
        const auto pid = ::fork();
        if (pid == 0) {
            if (std::getenv("RECEIPTS_RIG_LOG") == nullptr) { // NOLINT(concurrency-mt-unsafe)
                ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
            }
            if (wall != nullptr) {
                wall->wear();
            }
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        processes_[instance] = pid;
    }
    void kill(const std::string& instance) {
        ::kill(processes_.at(instance), SIGKILL);
        ::waitpid(processes_.at(instance), nullptr, 0);
        processes_.erase(instance);
    }
    void pause(const std::string& instance) const { ::kill(processes_.at(instance), SIGSTOP); }
    void resume(const std::string& instance) const { ::kill(processes_.at(instance), SIGCONT); }
    /// The exit code after SIGTERM.
    int stop(const std::string& instance) {
        int status = 0;
        ::kill(processes_.at(instance), SIGTERM);
        ::waitpid(processes_.at(instance), &status, 0);
        processes_.erase(instance);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    /// One record for each event, in the partition of its notification.
    void tell(const std::vector<v1::Event>& events) {
        std::vector<std::pair<kafka::topic_partition, std::string>> all;
        for (const auto& e : events) {
            v1::EventBatch batch;
            *batch.add_events() = e;
            all.emplace_back(at(wire::events, base::partition_of(e.notification(), partitions)),
                             batch.SerializeAsString());
        }
        put(std::move(all));
    }
    void report(const std::vector<v1::GatewayReceipt>& receipts) {
        std::vector<std::pair<kafka::topic_partition, std::string>> all;
        for (const auto& r : receipts) {
            const auto digest = crypto::sha256(r.gateway() + "|" + r.message_id());
            all.emplace_back(at(wire::gateway_receipts, base::partition_of(base::as_view(digest), partitions)),
                             r.SerializeAsString());
        }
        put(std::move(all));
    }
    void put(std::vector<std::pair<kafka::topic_partition, std::string>> records);
    kafka::topic_partition at(std::string_view topic, std::int32_t partition) const {
        return {prefix_ + std::string{topic}, partition};
    }

    seen look();
    template <class Predicate>
    seen wait(const char* what, Predicate p) {
        const auto deadline = std::chrono::steady_clock::now() + 30s * support::slowness;
        for (;;) {
            auto now = look();
            if (p(now)) {
                return now;
            }
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error{std::string{"in vain waited for: "} + what};
            }
        }
    }

    const crypto::campaign_key& key() const noexcept { return campaign_key_; }
    crypto::key_ring::named_key destinations() const { return crypto::key_ring{{key_}}.destinations(); }
    std::string dsn() const { return database_.dsn(); }
    bool is_marked(const std::string& notification) const {
        const auto found = std::make_shared<bool>(false);
        play([this, notification, found] { return ask(redis.port(), prefix_, notification, found); });
        return *found;
    }
    bool knows(const std::string& message_id) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        return !tx.exec_params("SELECT 1 FROM receipts.known WHERE message_id = $1", message_id).empty();
    }
    /// Of the database, for a lock.
    int statements_waiting() const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        return tx
            .exec("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                  "current_database()")[0][0]
            .as<int>();
    }
    bool orphaned(const std::string& message_id) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        return !tx.exec("SELECT to_regclass('receipts.orphan')")[0][0].is_null() &&
               !tx.exec_params("SELECT 1 FROM receipts.orphan WHERE message_id = $1", message_id).empty();
    }

    /// As a crash would leave it: orphaned, although its message is known by now.
    void leave_orphaned(const v1::GatewayReceipt& r) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        tx.exec_params(
            "INSERT INTO receipts.orphan (gateway, message_id, state, code, named, destination_hash, reference, "
            "at_us, parked_us, receipt) VALUES ($1, $2, $3, $4, '', decode($5, 'hex'), 0, $6, 0, "
            "decode($7, 'hex'))",
            r.gateway(), r.message_id(), static_cast<int>(r.state()), r.code(), base::to_hex(r.destination_hash()),
            r.time_us(), base::to_hex(r.SerializeAsString()));
    }
    /// What receipts.evidence says of this notification; nothing when it is not among the open doubts, or the service
    /// has not made its schema yet.
    struct searched {
        bool comparable = false;
        int fitting = 0, candidates = 0, others = 0;
        friend bool operator==(const searched&, const searched&) = default;
    };
    std::optional<searched> evidence(const std::string& campaign, const std::string& notification) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        if (tx.exec("SELECT to_regprocedure('receipts.evidence(text)')")[0][0].is_null()) {
            return std::nullopt;
        }
        const auto rows = tx.exec_params("SELECT comparable, fitting, candidates, others FROM receipts.evidence($1) "
                                         "WHERE notification = $2",
                                         campaign, pqxx::binarystring{notification});
        if (rows.empty()) {
            return std::nullopt;
        }
        return searched{.comparable = rows[0][0].as<bool>(),
                        .fitting = rows[0][1].as<int>(),
                        .candidates = rows[0][2].as<int>(),
                        .others = rows[0][3].as<int>()};
    }

    support::redis_server redis;
    const std::string retry = wire::retry(base::channel::sms, 0);

    /// How many records `topic` has, tombstones among them, and the bytes of their keys and values.
    std::pair<std::size_t, std::size_t> size_of(std::string_view topic) {
        std::pair<std::size_t, std::size_t> size;
        play([&] { return weigh(prefix_ + std::string{topic}, size); });
        return size;
    }
    /// Of a metric of a process, summed over its labels, or of those with this in them; 0 before it has shown any.
    double metric(const std::string& instance, const std::string& name, const std::string& label = {}) const {
        std::ifstream file{metrics_of(instance)};
        double sum = 0;
        for (std::string line; std::getline(file, line);) {
            const auto end = line.find_first_of("{ ");
            if (line.substr(0, end) == name && line.find(label) != std::string::npos) {
                sum += std::stod(line.substr(line.rfind(' ') + 1));
            }
        }
        return sum;
    }

  private:
    std::string metrics_of(const std::string& instance) const { return (folder_ / instance).string(); }
    static std::string broker() { return support::broker(); }
    static asio::awaitable<void> ask(std::uint16_t port, std::string prefix, std::string notification,
                                     std::shared_ptr<bool> found) {
        redis::client client{co_await asio::this_coro::executor, {.port = port}};
        co_await client.connected();
        *found = co_await delivery::is_superseded(client, std::move(prefix), std::move(notification));
    }
    asio::awaitable<std::vector<std::string>> values(std::string topic);
    static asio::awaitable<void> weigh(std::string topic, std::pair<std::size_t, std::size_t>& size);
    asio::awaitable<void> send(std::vector<std::pair<kafka::topic_partition, std::string>>);

    database database_;
    std::string prefix_ = unique_name() + ".";
    crypto::key256 key_ = crypto::key256::random();
    crypto::campaign_key campaign_key_{key_};
    std::chrono::milliseconds awaiting_limit_, inference_after_;
    std::vector<std::string> names_;
    std::map<std::string, pid_t> processes_;
    std::filesystem::path folder_ = std::filesystem::temp_directory_path() / prefix_;
};

inline asio::awaitable<void> stage::send(std::vector<std::pair<kafka::topic_partition, std::string>> records) {
    kafka::producer writer{co_await asio::this_coro::executor, {.bootstrap = broker(), .transactional_id = {}}};
    for (auto& [to, value] : records) {
        must(co_await writer.send(to, "k", value));
    }
}
inline void stage::put(std::vector<std::pair<kafka::topic_partition, std::string>> records) {
    play([&] { return send(std::move(records)); });
}
inline asio::awaitable<std::vector<std::string>> stage::values(std::string topic) {
    kafka::reader reader{co_await asio::this_coro::executor, {.bootstrap = broker()}};
    must(co_await reader.from_beginning(std::move(topic)));
    std::vector<std::string> all;
    while (!reader.at_end()) {
        for (const auto& r : co_await reader.next()) {
            all.emplace_back(r.value());
        }
    }
    co_return all;
}
inline asio::awaitable<void> stage::weigh(std::string topic, std::pair<std::size_t, std::size_t>& size) {
    kafka::reader reader{co_await asio::this_coro::executor, {.bootstrap = broker()}};
    must(co_await reader.from_beginning(std::move(topic)));
    while (!reader.at_end()) {
        for (const auto& r : co_await reader.next()) {
            ++size.first;
            size.second += r.key().size() + r.value().size();
        }
    }
}
inline seen stage::look() {
    std::vector<std::string> events, resends, dead;
    const auto read = [](stage& self, std::vector<std::string>& e, std::vector<std::string>& r,
                         std::vector<std::string>& d) -> asio::awaitable<void> {
        e = co_await self.values(self.prefix_ + std::string{wire::events});
        r = co_await self.values(self.prefix_ + self.retry);
        d = co_await self.values(self.prefix_ + std::string{wire::dead_letter});
    };
    play([&] { return read(*this, events, resends, dead); });
    seen out;
    std::map<std::string, int> ids;
    for (const auto& value : events) {
        v1::EventBatch batch;
        if (batch.ParseFromString(value)) {
            for (const auto& e : batch.events()) {
                if (++ids[e.id()] == 1) {
                    out.events.push_back(e);
                }
            }
        }
    }
    for (const auto& value : resends) {
        EXPECT_TRUE(out.resends.emplace_back().ParseFromString(value));
    }
    out.dead = dead.size();
    return out;
}

} // namespace semel::receipts::testing
