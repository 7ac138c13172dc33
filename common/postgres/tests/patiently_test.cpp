#include <postgres/patiently.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/play.hpp>

#include <functional>
#include <vector>

namespace semel::postgres {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Fails as often as there are failures, then succeeds.
class troubled {
  public:
    explicit troubled(std::vector<std::function<void()>> failures)
        : failures_(std::move(failures)) {}
    asio::awaitable<int> attempt() {
        const auto number = made_++;
        if (number < failures_.size()) {
            failures_[number]();
        }
        co_return static_cast<int>(number);
    }
    std::size_t made() const noexcept { return made_; }

  private:
    std::vector<std::function<void()>> failures_;
    std::size_t made_ = 0;
};

void away() {
    throw pqxx::broken_connection{"gone"};
}
void full() {
    throw pqxx::sql_error{"no", "INSERT", "53100"};
}
void mistaken() {
    throw pqxx::sql_error{"syntax", "SELCT", "42601"};
}
void without_tables() {
    throw pqxx::sql_error{"no table", "SELECT", "42P01"};
}

constexpr runtime::retry::pace quick{.first = 1ms, .longest = 2ms};

struct heard {
    std::vector<std::string> troubles;
    int over = 0;
    waiting how(std::function<bool()> enough = {}) {
        return {.pace = quick, .enough = std::move(enough), .tell = [this](const std::optional<std::string>& why) {
                    why ? troubles.push_back(*why) : static_cast<void>(++over);
                }};
    }
};

TEST(Patiently, RepeatsWhatFailedInAnOutageAndTellsWhenItIsOver) {
    support::play([]() -> asio::awaitable<void> {
        troubled work{{away, full, away}};
        heard told;
        const auto done = co_await patiently([&work] { return work.attempt(); }, told.how());
        EXPECT_EQ(done, 3);
        EXPECT_THAT(told.troubles, SizeIs(3));
        EXPECT_THAT(told.troubles.at(1), HasSubstr("make room"));
        EXPECT_EQ(told.over, 1);
    });
}

TEST(Patiently, SaysNothingWhereNothingFails) {
    support::play([]() -> asio::awaitable<void> {
        troubled work{{}};
        heard told;
        co_await patiently([&work] { return work.attempt(); }, told.how());
        EXPECT_THAT(told.troubles, IsEmpty());
        EXPECT_EQ(told.over, 0);
    });
}

// The mistake: a minute of a statement that will never succeed.
TEST(Patiently, AMistakeIsThrownAtOnce) {
    support::play([]() -> asio::awaitable<void> {
        troubled work{{away, mistaken}};
        bool caught = false;
        try {
            co_await patiently([&work] { return work.attempt(); }, {.pace = quick});
        } catch (const pqxx::sql_error& e) {
            caught = true;
            EXPECT_EQ(e.sqlstate(), "42601");
        }
        EXPECT_TRUE(caught);
        EXPECT_EQ(work.made(), 2U);
    });
}

TEST(Patiently, WhoseTablesAreMissingSaysWhetherSomebodyWillMakeThem) {
    support::play([]() -> asio::awaitable<void> {
        troubled others{{without_tables}};
        co_await patiently([&others] { return others.attempt(); }, {.pace = quick});
        EXPECT_EQ(others.made(), 2U);
        troubled ours{{without_tables}};
        bool caught = false;
        try {
            co_await patiently([&ours] { return ours.attempt(); }, {.pace = quick, .tables_are_ours = true});
        } catch (const pqxx::sql_error&) {
            caught = true;
        }
        EXPECT_TRUE(caught);
    });
}

TEST(Patiently, GivesUpWhenItIsToldSo) {
    support::play([]() -> asio::awaitable<void> {
        troubled work{{away, away, away, away}};
        heard told;
        bool caught = false;
        try {
            co_await patiently([&work] { return work.attempt(); }, told.how([&work] { return work.made() == 2; }));
        } catch (const given_up& e) {
            caught = true;
            EXPECT_THAT(e.what(), HasSubstr("cannot be reached"));
        }
        EXPECT_TRUE(caught);
        EXPECT_EQ(work.made(), 2U);
        EXPECT_EQ(told.over, 0);
    });
}

TEST(Patiently, IsCancelledWhileItWaits) {
    support::play([]() -> asio::awaitable<void> {
        std::vector<std::function<void()>> for_ever(1'000, away);
        troubled work{std::move(for_ever)};
        const auto wait = [](troubled& of) -> asio::awaitable<void> {
            co_await patiently([&of] { return of.attempt(); }, {.pace = {.first = 1h, .longest = 1h}});
        };
        const auto soon = []() -> asio::awaitable<void> { co_await runtime::sleep(1ms); };
        co_await runtime::race(wait(work), soon());
        EXPECT_EQ(work.made(), 1U);
    });
}

TEST(Advice, IsGivenWhereSomethingCanBeDone) {
    EXPECT_THAT(advice_on(outage::kind::disk_full), HasSubstr("make room"));
    EXPECT_EQ(advice_on(outage::kind::unreachable), "");
}

} // namespace
} // namespace semel::postgres
