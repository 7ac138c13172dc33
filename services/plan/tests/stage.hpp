#pragma once
// A campaign of two waves with an audience in a real Kafka, a Redis of its own, and plan as processes to kill.

#include "truth.hpp"

#include <base/must.hpp>
#include <base/time.hpp>
#include <catalog/catalog.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <semel/v1/events.pb.h>
#include <wire/progress.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>
#include <plan/core/barrier.hpp>
#include <plan/edge/kafka_place.hpp>
#include <support/backing.hpp>
#include <support/play.hpp>
#include <support/records.hpp>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>
#include <support/stepped_clock.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>

namespace semel::plan::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

inline constexpr std::int32_t partitions = 3;
inline constexpr auto patience = 60s * support::slowness;

using support::broker;
using support::play;

using base::must;

inline asio::awaitable<std::vector<kafka::record>> all_of(std::string topic) {
    kafka::reader reader{co_await asio::this_coro::executor, {.bootstrap = broker()}};
    must(co_await reader.from_beginning(std::move(topic)));
    must(co_await reader.refresh_end());
    std::vector<kafka::record> all;
    while (!reader.at_end()) {
        for (auto& r : co_await reader.next()) {
            all.push_back(std::move(r));
        }
    }
    co_return all;
}

/// A campaign with an audience in Kafka, and the processes that plan it.
class stage {
    std::unique_ptr<support::redis_server> own_redis_;

  public:
    /// `host`: a campaign more for its topics and its processes, which are started afterwards.
    explicit stage(std::vector<row> rows, int unreadable = 0, int chunk_rows = 40, stage* host = nullptr)
        : own_redis_(host == nullptr ? std::make_unique<support::redis_server>() : nullptr)
        , redis(host == nullptr ? *own_redis_ : host->redis)
        , rows_(std::move(rows)) {
        prefix_ = fmt::format("plan{}.{}.", ::getpid(), clock::now().time_since_epoch().count());
        file_ = (std::filesystem::temp_directory_path() / (prefix_ + "campaign")).string();
        if (host == nullptr) {
            create_topics();
        } else {
            prefix_ = host->prefix_;
            ends_ = host->ends_;
        }
        describe_campaign();
        play([=, this] { return import(unreadable, chunk_rows); });
        if (host != nullptr) {
            host->ends_ = ends_;
            host->guests_.push_back(this);
        }
        write();
    }
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    ~stage() {
        for (const auto& instance : std::map{processes_}) {
            kill(instance.first);
        }
        std::filesystem::remove(file_);
        std::filesystem::remove(log_file());
        if (own_redis_) {
            kafka::admin admin{broker()};
            std::vector<std::string> names;
            for (const auto& t : wire::all_topics(partitions)) {
                names.push_back(prefix_ + t.name);
            }
            std::ignore = admin.delete_topics(names);
        }
    }

    support::redis_server& redis;

    /// In seconds, when it is not as long as it is in earnest.
    std::optional<int> audience_kept_afterwards;
    /// Messages of a channel that may wait, when they are not as many as in earnest.
    std::optional<int> window;

    /// `wall`: its wall clock, instead of the machine's.
    void start(const std::string& instance = "plan", const support::stepped_clock* wall = nullptr) {
        auto files = file_;
        auto keys = base::to_hex(key_.bytes().view());
        for (const auto* guest : guests_) {
            files += "," + guest->file_;
            keys += "," + base::to_hex(guest->key_.bytes().view());
        }
        const auto number = [](std::optional<int> n) { return n ? std::to_string(*n) : std::string{"-"}; };
        std::vector<std::string> args{
            PLAN_RIG, broker(), std::to_string(redis.port()),     prefix_,       std::to_string(partitions), instance,
            files,    keys,     number(audience_kept_afterwards), number(window)};
        std::vector<char*> argv;
        for (const auto& a : args) {
            argv.push_back(const_cast<char*>(a.data()));
        }
        argv.push_back(nullptr);
        const auto pid = ::fork();
        if (pid == 0) {
            if (std::getenv("PLAN_RIG_LOG") == nullptr) { // NOLINT(concurrency-mt-unsafe)
                ::dup2(::open(log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
            }
            if (wall != nullptr) {
                wall->wear();
            }
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        processes_[instance] = pid;
    }
    /// Its CPU time in seconds.
    double kill(const std::string& instance = "plan") {
        ::kill(processes_.at(instance), SIGKILL);
        rusage used{};
        ::wait4(processes_.at(instance), nullptr, 0, &used);
        processes_.erase(instance);
        const auto seconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
        };
        return seconds(used.ru_utime) + seconds(used.ru_stime);
    }
    double cpu_of_redis() const {
        const auto info = redis.tell("INFO cpu");
        const auto value = [&](std::string_view name) { return std::stod(info.substr(info.find(name) + name.size())); };
        return value("used_cpu_user:") + value("used_cpu_sys:");
    }

    void launch(std::uint32_t rate_per_s = 0) {
        for (auto& w : *campaign_.mutable_waves()) {
            w.set_phase(v1::WAVE_LAUNCHED);
        }
        campaign_.set_phase(v1::CAMPAIGN_RUNNING);
        campaign_.set_rate_per_s(rate_per_s);
        write();
    }
    /// Of the campaign from its creation.
    void set_canary(std::uint32_t rows) {
        campaign_.mutable_canary()->set_rows(rows);
        write();
    }
    void release_the_rest() {
        campaign_.mutable_canary()->set_released(true);
        write();
    }
    /// The wave is not there yet: its upload has not ended.
    void withhold(std::uint32_t number) {
        const auto at =
            std::ranges::find(*campaign_.mutable_waves(), number, [](const v1::Wave& w) { return w.number(); });
        withheld_ = *at;
        campaign_.mutable_waves()->erase(at);
        write();
    }
    void bring_back(v1::WavePhase phase, std::uint32_t number = 0) {
        withheld_.set_number(number == 0 ? withheld_.number() : number);
        withheld_.set_phase(phase);
        *campaign_.add_waves() = withheld_;
        write();
    }
    void set_phase(std::uint32_t number, v1::WavePhase phase) {
        std::ranges::find(*campaign_.mutable_waves(), number, [](const v1::Wave& w) {
            return w.number();
        })->set_phase(phase);
        write();
    }
    std::string log() const {
        std::ifstream in{log_file()};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    std::vector<row> rows_of(std::uint32_t wave) const {
        auto rows = rows_;
        std::erase_if(rows, [&](const row& r) { return r.wave != wave; });
        return rows;
    }
    void launch_wave(std::uint32_t number) {
        campaign_.set_phase(v1::CAMPAIGN_RUNNING);
        set_phase(number, v1::WAVE_LAUNCHED);
    }
    void set_times(std::int64_t start_us, std::int64_t deadline_us) {
        campaign_.set_start_us(start_us);
        campaign_.set_deadline_us(deadline_us);
    }
    void set(v1::CampaignPhase phase) {
        campaign_.set_phase(phase);
        campaign_.set_rate_per_s(0);
        write();
    }

    /// Fields of the head: the marker, the server, and the finished spans.
    int head_fields() const {
        return std::atoi(redis.tell(fmt::format("HLEN '{{plan:{}}}:head'", campaign_.id())).c_str());
    }
    /// Of the register: nothing else is in this Redis.
    int keys() const { return std::atoi(redis.tell("DBSIZE").c_str()); }
    int all_head_fields() const { return 2 + static_cast<int>(plan::to_register(campaign_).size()); }

    std::multiset<message> released() const {
        std::multiset<message> all;
        play([&]() -> asio::awaitable<void> { co_await read_dispatches(all); });
        return all;
    }
    std::vector<v1::Event> events() const {
        std::vector<v1::Event> all;
        play([&]() -> asio::awaitable<void> {
            for (const auto& r : co_await all_of(prefix_ + std::string{wire::events})) {
                v1::EventBatch batch;
                EXPECT_TRUE(batch.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())));
                all.insert(all.end(), batch.events().begin(), batch.events().end());
            }
        });
        std::erase_if(all, [&](const v1::Event& e) { return e.campaign_id() != campaign_.id(); });
        return all;
    }
    std::vector<kafka::record> records(std::string_view topic) const {
        std::vector<kafka::record> all;
        play([&]() -> asio::awaitable<void> { all = co_await all_of(prefix_ + std::string{topic}); });
        return all;
    }
    std::size_t rows_told() const {
        return static_cast<std::size_t>(std::ranges::count_if(events(), [](const v1::Event& e) {
            return e.kind() == v1::EVENT_RECIPIENT || e.kind() == v1::EVENT_RECIPIENT_REPEATED;
        }));
    }
    /// Stretches that are released to their end, on every channel.
    int progress_done() const {
        std::set<std::string> done;
        for (const auto& r : records(wire::progress)) {
            v1::Progress p;
            if (r.key().starts_with(wire::release_progress_prefix(base::campaign_id{campaign_.id()})) &&
                p.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())) && p.done()) {
                done.emplace(r.key());
            }
        }
        return static_cast<int>(done.size());
    }
    const std::vector<row>& rows() const { return rows_; }
    const v1::Campaign& campaign() const { return campaign_; }
    /// As a process knows it.
    catalog::campaign_ptr known() const {
        auto c = std::make_shared<catalog::campaign>();
        c->id = base::campaign_id{campaign_.id()};
        c->key = key_;
        c->state = campaign_;
        return c;
    }
    kafka_place place() const {
        return {.bootstrap = broker(), .partitions = partitions, .instance = "reader", .prefix = prefix_};
    }

    /// Waits until every row is accounted for, then holds everything against the truth.
    void expect_the_truth() const {
        const auto expected = truth(campaign_, rows_);
        wait_until([&] { return rows_told() >= rows_.size() && released().size() >= expected.size(); },
                   "every row to be released");
        EXPECT_EQ(released(), expected);
        std::map<std::pair<std::uint32_t, std::uint64_t>, int> lines;
        for (const auto& e : events()) {
            lines[{e.wave(), e.row()}] +=
                e.kind() == v1::EVENT_RECIPIENT || e.kind() == v1::EVENT_RECIPIENT_REPEATED ? 1 : 0;
        }
        for (const auto& r : rows_) {
            EXPECT_EQ((lines[{r.wave, r.recipient.row()}]), 1) << "wave " << r.wave << " row " << r.recipient.row();
        }
    }

    template <class Condition>
    static void wait_until(Condition holds, const char* what) {
        const auto deadline = clock::now() + patience;
        while (!holds()) {
            if (clock::now() > deadline) {
                throw std::runtime_error{fmt::format("waited in vain for {}", what)};
            }
        }
    }

    /// Puts a record of wave 1 where plan keeps how far it is, as another version has left it.
    void leave_progress(const std::string& key, std::int32_t in_partition_of, const v1::Progress& progress) const {
        const auto beside = wire::release_progress_key(base::campaign_id{campaign_.id()}, 1, in_partition_of);
        const kafka::topic_partition to{prefix_ + std::string{wire::progress},
                                        wire::progress_partition(beside, partitions)};
        play([&]() -> asio::awaitable<void> {
            kafka::producer producer{co_await asio::this_coro::executor,
                                     {.bootstrap = broker(), .transactional_id = {}}};
            must(co_await producer.send(to, key, progress.SerializeAsString()));
        });
    }
    /// Records of nobody's on a channel, which its dispatchers do not work off: there are none.
    void fill(base::channel channel, int messages) const {
        play([&]() -> asio::awaitable<void> {
            kafka::transactional_producer producer{co_await asio::this_coro::executor,
                                                   {.bootstrap = broker(), .transactional_id = prefix_ + "fill"}};
            co_await producer.init();
            producer.begin();
            for (int i = 0; i < messages; ++i) {
                const kafka::topic_partition to{prefix_ + wire::dispatch(channel), i % partitions};
                co_await producer.produce(to, {}, "a message");
            }
            const auto done = co_await producer.commit({}, nullptr);
            EXPECT_EQ(done.outcome, kafka::outcome::committed);
        });
    }

  private:
    void create_topics() const {
        kafka::admin admin{broker()};
        auto topics = wire::all_topics(partitions);
        for (auto& t : topics) {
            t.name = prefix_ + t.name;
        }
        must(admin.create_topics(topics));
        for (const auto& s : wire::all_subscriptions()) {
            std::vector<kafka::topic_spec> read;
            for (const auto& name : s.topics) {
                read.push_back({.name = prefix_ + name, .partitions = partitions, .compacted = false, .config = {}});
            }
            if (s.group == "plan" || s.group == "plan-register" || s.group == "email" || s.group == "push") {
                must(admin.write_first_offsets(prefix_ + s.group, read));
            }
        }
    }
    void describe_campaign() {
        campaign_.set_id(crypto::new_campaign_id().value());
        campaign_.set_phase(v1::CAMPAIGN_SEALED);
        campaign_.set_wrapped_key("there is one");
        campaign_.add_channels(v1::CHANNEL_EMAIL);
        campaign_.add_channels(v1::CHANNEL_PUSH);
        campaign_.set_default_locale("en");
        for (const auto channel : {v1::CHANNEL_EMAIL, v1::CHANNEL_PUSH}) {
            for (std::uint32_t segments = 0; segments < 8; ++segments) {
                for (const bool supplement : {false, true}) {
                    auto& ref = *campaign_.add_artifacts();
                    ref.set_locale("en");
                    ref.set_channel(channel);
                    ref.set_segments(segments);
                    ref.set_supplement(supplement);
                    ref.set_artifact(std::to_string(segments));
                }
            }
        }
    }
    std::string log_file() const { return file_ + ".log"; }
    void write() {
        campaign_.set_version(campaign_.version() + 1);
        std::ofstream{file_ + "~", std::ios::binary} << campaign_.SerializeAsString();
        std::filesystem::rename(file_ + "~", file_);
    }

    asio::awaitable<void> import(int unreadable, int chunk_rows) {
        kafka::producer producer{co_await asio::this_coro::executor, {.bootstrap = broker(), .transactional_id = {}}};
        auto& ends = ends_;
        const auto topic = prefix_ + std::string{wire::audience};
        for (std::uint32_t number = 1; number <= 2; ++number) {
            auto& wave = *campaign_.add_waves();
            wave.set_number(number);
            wave.set_phase(v1::WAVE_SEALED);
            for (std::uint32_t p = 0; p < partitions; ++p) {
                auto& span = *wave.add_spans();
                span.set_partition(p);
                span.set_start_offset(ends[p]);
            }
            v1::AudienceChunk content;
            v1::AudienceRecord record;
            record.set_campaign_id(campaign_.id());
            // Uploads end in another order than they begin.
            wave.set_upload(3 - number);
            record.set_upload(wave.upload());
            const auto send = [&]() -> asio::awaitable<void> {
                if (content.recipients_size() == 0) {
                    co_return;
                }
                const auto p = static_cast<std::int32_t>(record.chunk() % partitions);
                record.set_count(static_cast<std::uint32_t>(content.recipients_size()));
                record.set_first_row(content.recipients(0).row());
                wire::seal_chunk(key_, record, content);
                must(co_await producer.send({topic, p}, {}, record.SerializeAsString()));
                ++ends[static_cast<std::size_t>(p)];
                record.set_chunk(record.chunk() + 1);
                content.Clear();
            };
            for (const auto& r : rows_) {
                if (r.wave == number) {
                    *content.add_recipients() = r.recipient;
                    wave.set_rows(wave.rows() + 1);
                    if (content.recipients_size() == chunk_rows) {
                        co_await send();
                    }
                }
            }
            co_await send();
            for (int i = 0; i < unreadable; ++i) {
                v1::AudienceRecord broken = record;
                broken.set_sealed(i % 2 == 0 ? "not sealed at all" : record.sealed());
                // Every third breaks off after a count that looks right, of which nothing may be believed.
                broken.set_count(7);
                must(co_await producer.send({topic, 0}, {}, broken.SerializeAsString() + (i % 3 == 2 ? "\xff" : "")));
                ++ends[0];
            }
            for (std::uint32_t p = 0; p < partitions; ++p) {
                wave.mutable_spans(static_cast<int>(p))->set_end_offset(ends[p]);
            }
        }
    }

    asio::awaitable<void> read_dispatches(std::multiset<message>& all) const {
        for (const auto channel : {base::channel::email, base::channel::push}) {
            for (const auto& r : co_await all_of(prefix_ + wire::dispatch(channel))) {
                v1::Dispatch d;
                if (r.key().empty()) {
                    continue; // fill()
                }
                EXPECT_TRUE(d.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())));
                if (d.campaign_id() != campaign_.id()) {
                    continue;
                }
                EXPECT_EQ(d.notification(), r.key());
                const auto delivery = must(wire::open_delivery(key_, d));
                v1::Recipient who;
                who.set_recipient_id(delivery.recipient_id());
                all.emplace(name_of(campaign_, who, delivery.address()), d.wave(), d.row(), d.supplement(),
                            static_cast<std::uint32_t>(std::stoul(d.artifact())));
            }
        }
    }

    std::vector<row> rows_;
    std::string prefix_;
    std::string file_;
    crypto::campaign_key key_ = crypto::campaign_key::random();
    v1::Campaign campaign_;
    v1::Wave withheld_;
    std::map<std::string, pid_t> processes_;
    std::array<std::int64_t, partitions> ends_{}; // of `audience`
    std::vector<const stage*> guests_;
};

/// Two waves with shared addresses, several tokens, door codes, double ids, and people without an address.
inline std::vector<row> an_audience(std::uint64_t rows, std::uint64_t seed = 1) {
    std::mt19937_64 random{seed};
    std::vector<row> all;
    for (std::uint32_t wave = 1; wave <= 2; ++wave) {
        for (std::uint64_t n = 1; n <= rows; ++n) {
            row r{wave, {}};
            r.recipient.set_row(n);
            r.recipient.set_recipient_id(fmt::format("id{}", random() % (rows * 3)));
            r.recipient.set_locale("en");
            r.recipient.set_segments(static_cast<std::uint32_t>(random() % 8));
            for (auto k = random() % 4; k > 0; --k) {
                auto& a = *r.recipient.add_addresses();
                a.set_channel(k % 2 == 0 ? v1::CHANNEL_EMAIL : v1::CHANNEL_PUSH);
                a.set_canonical(fmt::format("a{}@example.com", random() % rows));
            }
            all.push_back(std::move(r));
        }
    }
    return all;
}

inline constexpr std::uint64_t rows_of_a_wave = 1'500;
// Some 150 messages at once and 30 a second from then on: release stands still in the middle.
inline constexpr std::uint32_t slow = 30;

inline void wait_for_the_middle_of_release(const stage& s) {
    stage::wait_until([&] { return s.rows_told() > 0; }, "the first rows to be released");
    ASSERT_LT(s.rows_told(), s.rows().size()) << "release was not slow enough for this test";
}
inline void wait_until_registered(const stage& s) {
    stage::wait_until([&] { return s.head_fields() >= s.all_head_fields(); }, "both waves to be registered");
}

} // namespace semel::plan::testing
