// Against a real broker, whose answer must carry the time of the append.

#include <base/must.hpp>
#include <kafka/admin.hpp>
#include <runtime/race.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/backing.hpp>
#include <support/play.hpp>
#include <support/records.hpp>
#include <ticks/clock.hpp>
#include <unistd.h>

namespace semel::ticks {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// The topic of one test, as `semel up` makes it but for these settings.
class topic {
  public:
    explicit topic(const std::map<std::string, std::string>& other = {}) {
        static int count = 0;
        prefix = fmt::format("ticks{}.{}.", ::getpid(), ++count);
        for (auto spec : wire::all_topics(1)) {
            if (spec.name == wire::ticks) {
                spec.name = prefix + spec.name;
                for (const auto& [key, value] : other) {
                    spec.config[key] = value;
                }
                base::must(admin_.create_topics(std::span{&spec, 1}));
            }
        }
    }
    topic(const topic&) = delete;
    topic& operator=(const topic&) = delete;
    ~topic() {
        const std::string name = prefix + std::string{wire::ticks};
        std::ignore = admin_.delete_topics(std::span{&name, 1});
    }
    std::string prefix;

  private:
    kafka::admin admin_{support::broker()};
};

asio::awaitable<void> until(const clock& c, bool (*holds)(const clock&)) {
    const auto end = std::chrono::steady_clock::now() + 20s * support::slowness;
    while (!holds(c)) {
        if (std::chrono::steady_clock::now() > end) {
            const auto wrong = c.trouble();
            throw std::runtime_error{"waited in vain: " + (wrong ? wrong->words : "no trouble")};
        }
        co_await runtime::sleep(20ms);
    }
}

bool certain(const clock& c) {
    return c.now().certain.has_value();
}

TEST(Clock, ReadsTheBrokersAndSeesAStepOfThisHostsAtOnce) {
    const topic t;
    base::duration ahead{};
    support::play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        clock c{ex, {.bootstrap = support::broker(), .prefix = t.prefix, .every = 1h, .wall = [&ahead] {
                         return base::now() + ahead;
                     }}};
        EXPECT_FALSE(c.now().certain) << "nothing is known at first";
        EXPECT_EQ(c.trouble()->what, trouble::kind::kafka);
        co_await runtime::race(c.run(), until(c, certain));
        // The broker is a process of this machine.
        EXPECT_LE(*c.now().certain, base::now());
        EXPECT_GT(*c.now().certain, base::now() - 6s);
        EXPECT_FALSE(c.trouble());
        for (const base::duration step : {base::duration{2h}, base::duration{-2h}}) {
            ahead = step; // no tick is under way
            EXPECT_FALSE(c.now().certain);
            EXPECT_TRUE(c.now().differs);
            EXPECT_LE(c.now().best, base::now());
            EXPECT_EQ(c.trouble()->what, trouble::kind::clock);
            EXPECT_THAT(c.trouble()->words, HasSubstr(step > 0s ? "min ahead of" : "min behind"));
        }
        ahead = {};
        EXPECT_TRUE(c.now().certain);
        EXPECT_FALSE(c.trouble());
    });
}

TEST(Clock, ATopicThatKeepsTheSendersTimeProvesNothing) {
    const topic t{{{"message.timestamp.type", "CreateTime"}}};
    support::play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        clock c{ex, {.bootstrap = support::broker(), .prefix = t.prefix, .every = 50ms}};
        co_await runtime::race(c.run(), until(c, [](const clock& k) {
                                   return k.trouble() && k.trouble()->words.contains("LogAppendTime");
                               }));
        EXPECT_FALSE(c.now().certain);
    });
}

TEST(Clock, SaysWhenItHasBeenWrongForLong) {
    const topic t;
    support::play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        clock c{ex, {.bootstrap = support::broker(), .prefix = t.prefix, .every = 50ms, .wall = [] {
                         return base::now() + 2h;
                     }}};
        const auto began = std::chrono::steady_clock::now();
        co_await runtime::race(c.run(), c.wrong_for(500ms));
        EXPECT_TRUE(c.now().differs);
        EXPECT_GE(std::chrono::steady_clock::now() - began, 500ms);
    });
}

} // namespace
} // namespace semel::ticks
