#include "stage.hpp"

#include <delivery/core/checkpoint.hpp>
#include <semel/v1/delivery.pb.h>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace semel::delivery::testing {

void wait_until(const std::function<bool()>& holds, const std::string& what, std::chrono::seconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error{"waited in vain for " + what};
        }
        std::this_thread::sleep_for(50ms); // the pause between two looks
    }
}

stage::stage(std::string bootstrap)
    : bootstrap_(std::move(bootstrap)) {
    prefix_ = fmt::format("delivery{}.{}.", ::getpid(), std::chrono::steady_clock::now().time_since_epoch().count());
    log_ = "/tmp/" + prefix_ + "accepted";
    kafka::admin admin{bootstrap_};
    auto topics = wire::all_topics(partitions);
    std::erase_if(topics, [](const auto& t) {
        return !t.name.ends_with("sms") && !t.name.starts_with("retry.sms.") && t.name != wire::events &&
               t.name != wire::dead_letter && t.name != wire::control && t.name != wire::artifacts &&
               t.name != wire::doubts && t.name != wire::ticks;
    });
    std::vector<kafka::topic_spec> read;
    for (auto& t : topics) {
        t.name = prefix_ + t.name;
        if (t.name.find("sms") != std::string::npos) {
            read.push_back(t);
        }
    }
    must(admin.create_topics(topics));
    must(admin.write_first_offsets(prefix_ + "sms", read));

    v1::Artifact artifact;
    artifact.set_locale("en");
    artifact.set_channel(v1::CHANNEL_SMS);
    artifact.mutable_sms()->add_text()->set_literal("Notice of personal data leak: call 118.");
    artifact.mutable_sms()->set_max_parts(1);
    const auto bytes = artifact.SerializeAsString();
    artifact_id_ = std::string{base::as_view(crypto::sha256(bytes))};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::producer producer{ex, {.bootstrap = bootstrap_, .transactional_id = {}}};
        must(co_await producer.send({prefix_ + std::string{wire::artifacts}, 0}, artifact_id_, bytes));
    });
    campaign_.set_id(crypto::new_campaign_id().value());
    campaign_.add_channels(v1::CHANNEL_SMS);
    campaign_.set_wrapped_key(crypto::key_ring{{kek_}}.wrap(key_, base::campaign_id{campaign_.id()}));
    set(v1::CAMPAIGN_RUNNING);
}

stage::~stage() {
    for (const auto& [instance, pid] : std::map{processes_}) {
        kill(instance);
    }
    std::error_code ignored;
    std::filesystem::remove(log_, ignored);
    kafka::admin admin{bootstrap_};
    std::vector<std::string> names;
    for (const auto& t : wire::all_topics(partitions)) {
        if (t.name.ends_with("sms") || t.name.starts_with("retry.sms.") || t.name == wire::events ||
            t.name == wire::ticks) {
            names.push_back(prefix_ + t.name);
        }
    }
    std::ignore = admin.delete_topics(names);
}

void stage::set(v1::CampaignPhase phase) {
    campaign_.set_phase(phase);
    write_campaign();
}
void stage::set_rate(std::uint32_t per_second) {
    campaign_.set_rate_per_s(per_second);
    write_campaign();
}

void stage::write_campaign() {
    campaign_.set_version(campaign_.version() + 1);
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::producer producer{ex, {.bootstrap = bootstrap_, .transactional_id = {}}};
        must(co_await producer.send({prefix_ + std::string{wire::control}, 0}, campaign_.id(),
                                    campaign_.SerializeAsString()));
    });
}

void stage::dispatch(const std::string& behaviour, int count, const std::function<void(v1::Dispatch&)>& change) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::transactional_producer writer{ex, {.bootstrap = bootstrap_, .transactional_id = prefix_ + "plan"}};
        co_await writer.init();
        writer.begin();
        for (int i = 0; i < count; ++i) {
            const auto row = behaviours_.size() + 1;
            const auto id = crypto::sha256(fmt::format("{}{}", prefix_, row));
            const std::string notification{base::as_view(id)};
            v1::Delivery person;
            person.mutable_address()->set_channel(v1::CHANNEL_SMS);
            person.mutable_address()->set_canonical(fmt::format("{}/{}", behaviour, row));
            person.mutable_address()->set_given(person.address().canonical());
            v1::Dispatch d;
            d.set_campaign_id(campaign_.id());
            d.set_notification(notification);
            d.set_channel(v1::CHANNEL_SMS);
            d.set_attempt(1);
            d.set_artifact(artifact_id_);
            d.set_wave(1);
            d.set_row(row);
            d.set_recipient_ref(notification.substr(0, 16));
            if (change) {
                change(d);
            }
            d.set_sealed(wire::seal_delivery(key_, notification, person));
            behaviours_[base::to_hex(notification)] = behaviour;
            co_await writer.produce(
                {prefix_ + wire::dispatch(base::channel::sms), base::partition_of(notification, partitions)},
                notification, d.SerializeAsString());
        }
        const auto result = co_await writer.commit({}, nullptr);
        if (result.outcome != kafka::outcome::committed) {
            throw std::runtime_error{result.why};
        }
    });
}

void stage::write(std::int32_t partition, const std::string& record) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::producer producer{ex, {.bootstrap = bootstrap_, .transactional_id = {}}};
        must(co_await producer.send({prefix_ + wire::dispatch(base::channel::sms), partition}, "k", record));
    });
}

void stage::roll_back(int count) {
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::transactional_producer writer{ex, {.bootstrap = bootstrap_, .transactional_id = prefix_ + "plan"}};
        co_await writer.init();
        writer.begin();
        for (int i = 0; i < count * partitions; ++i) {
            co_await writer.produce({prefix_ + wire::dispatch(base::channel::sms), i % partitions}, "k", "v");
        }
        co_await writer.abort();
    });
}

bool stage::no_backlog() const {
    const auto lag = kafka::admin{bootstrap_}.group_lag(prefix_ + "sms", prefix_ + wire::dispatch(base::channel::sms));
    return lag && std::ranges::all_of(*lag, [](const auto& one) { return one.committed == one.end; });
}

std::string stage::key_hex() const {
    return base::to_hex(kek_.view());
}

std::vector<std::string> stage::rig_words(const std::string& instance) const {
    return {"kafka=" + bootstrap_,
            fmt::format("redis={}", redis.port()),
            "prefix=" + prefix_,
            "instance=" + instance,
            fmt::format("events={}", partitions),
            "key=" + key_hex(),
            "log=" + log_,
            fmt::format("session_ms={}", session.count()),
            fmt::format("cut_off_ms={}", cut_off_after.count()),
            "gateways=" + gateways};
}

void stage::start(const std::string& instance, const std::string& failpoint, const support::stepped_clock* wall) {
    auto words = rig_words(instance);
    words.insert(words.begin(), DELIVERY_RIG);
    std::vector<char*> argv;
    for (auto& w : words) {
        argv.push_back(w.data());
    }
    argv.push_back(nullptr);
    const auto pid = ::fork();
    if (pid == 0) {
        if (!failpoint.empty()) {
            ::setenv("SEMEL_FAILPOINT", failpoint.c_str(), 1);
        }
        if (wall != nullptr) {
            wall->wear();
        }
        const char* log = std::getenv("DELIVERY_RIG_LOG"); // NOLINT(concurrency-mt-unsafe)
        const int to = ::open(log != nullptr ? log : "/dev/null", O_WRONLY | O_APPEND | O_CREAT, 0600);
        ::dup2(to, STDERR_FILENO);
        ::dup2(to, STDOUT_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    processes_[instance] = pid;
}

void stage::signal(const std::string& instance, int number) const {
    ::kill(processes_.at(instance), number);
}

int stage::end_of(const std::string& instance, std::chrono::seconds patience) {
    int status = 0;
    try {
        wait_until([&] { return ::waitpid(processes_.at(instance), &status, WNOHANG) != 0; }, "the end of " + instance,
                   patience);
    } catch (const std::runtime_error&) {
        kill(instance);
        throw;
    }
    processes_.erase(instance);
    return status;
}

bool stage::running(const std::string& instance) {
    const auto at = processes_.find(instance);
    if (at == processes_.end()) {
        return false;
    }
    if (::waitpid(at->second, nullptr, WNOHANG) != 0) {
        processes_.erase(at);
        return false;
    }
    return true;
}

void stage::kill(const std::string& instance) {
    const auto pid = processes_.at(instance);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    processes_.erase(instance);
}

bool stage::stopped(const std::string& instance) const {
    std::ifstream in{fmt::format("/proc/{}/stat", processes_.at(instance))};
    std::string line;
    std::getline(in, line);
    return line.find(") T ") != std::string::npos;
}

std::map<std::string, std::vector<acceptance>> stage::accepted() const {
    std::map<std::string, std::vector<acceptance>> all;
    std::ifstream in{log_};
    for (std::string line; std::getline(in, line);) {
        std::istringstream words{line};
        std::string notification;
        acceptance a;
        words >> notification >> a.attempt >> a.gateway >> a.at_us;
        all[notification].push_back(std::move(a));
    }
    return all;
}

std::size_t stage::acceptances() const {
    std::size_t lines = 0;
    std::ifstream in{log_};
    for (std::string line; std::getline(in, line);) {
        ++lines;
    }
    return lines;
}

std::vector<kafka::record> stage::records(const std::string& topic) const {
    std::vector<kafka::record> all;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        kafka::reader reader{ex, {.bootstrap = bootstrap_}};
        must(co_await reader.from_beginning(prefix_ + topic));
        must(co_await reader.refresh_end());
        while (!reader.at_end()) {
            for (auto& r : co_await reader.next()) {
                all.push_back(std::move(r));
            }
        }
    });
    return all;
}

std::map<std::string, story> stage::stories() const {
    std::map<std::string, story> all;
    for (const auto& [notification, behaviour] : behaviours_) {
        all[notification];
    }
    std::set<std::string> seen;
    for (const auto& r : records(std::string{wire::events})) {
        v1::EventBatch batch;
        if (!batch.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()))) {
            throw std::runtime_error{"a record of events is not an EventBatch"};
        }
        for (const auto& e : batch.events()) {
            if (!seen.insert(e.id()).second) {
                continue; // evidence may be told twice, under one id
            }
            auto& s = all[base::to_hex(e.notification())];
            s.accepted += e.kind() == v1::EVENT_ACCEPTED;
            s.failed += e.kind() == v1::EVENT_FAILED;
            s.deferred += e.kind() == v1::EVENT_DEFERRED;
            s.awaiting += e.kind() == v1::EVENT_AWAITING;
            s.in_doubt += e.kind() == v1::EVENT_IN_DOUBT;
            s.dead += e.kind() == v1::EVENT_DEAD_LETTER;
            s.events.push_back(e);
        }
    }
    return all;
}

std::size_t stage::told() const {
    std::size_t n = 0;
    for (const auto& [notification, s] : stories()) {
        n += s.told() ? 1 : 0;
    }
    return n;
}

std::size_t stage::in_doubt() const {
    std::size_t n = 0;
    for (const auto& [notification, s] : stories()) {
        n += s.in_doubt > 0 ? 1 : 0;
    }
    return n;
}

std::size_t stage::reserved() const {
    kafka::admin admin{bootstrap_};
    std::size_t all = 0;
    for (const auto& lag : must(admin.group_lag(prefix_ + "sms", prefix_ + wire::dispatch(base::channel::sms)))) {
        const auto c = must(decode_checkpoint(lag.committed, lag.metadata));
        all += static_cast<std::size_t>(c.range.end - c.range.next);
    }
    return all;
}

void stage::expect_the_truth(std::chrono::seconds patience) const {
    wait_until([this] { return told() >= dispatched(); }, "every notification to be told of", patience);
    const auto sent = accepted();
    for (const auto& [notification, s] : stories()) {
        const auto at = sent.find(notification);
        const auto times = at == sent.end() ? 0 : at->second.size();
        EXPECT_LE(times, 1U) << notification << " was accepted twice";
        EXPECT_LE(s.accepted, 1) << notification;
        EXPECT_FALSE(s.accepted > 0 && s.failed > 0) << notification << " was accepted and failed";
        if (times == 1) {
            EXPECT_TRUE(s.accepted + s.in_doubt + s.awaiting > 0) << notification << " was accepted and nobody says so";
            EXPECT_EQ(s.failed, 0) << notification << " was accepted and is told as failed";
        } else {
            EXPECT_EQ(s.accepted, 0) << notification << " was never accepted and is told as accepted";
        }
    }
    for (const auto& [notification, times] : sent) {
        EXPECT_TRUE(behaviours_.contains(notification)) << "the gateway accepted what nobody dispatched";
    }
}

} // namespace semel::delivery::testing
