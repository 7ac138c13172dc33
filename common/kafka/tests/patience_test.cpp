#include <kafka/patience.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string_view>
#include <tuple>

namespace semel::kafka {
namespace {

using namespace std::chrono_literals;

int tries_of(patience& p) {
    for (int n = 0;; ++n) {
        try {
            std::ignore = p.failed();
        } catch (const std::runtime_error&) {
            return n;
        }
    }
}

TEST(Patience, EndsWhenItsPausesAddUpToTheWhole) {
    patience p{"group g", {.between = {.first = 100ms, .longest = 100ms}, .whole = 10s}, 1};
    const auto tries = tries_of(p);
    EXPECT_GE(tries, 100) << "each pause is at most 100 ms";
    EXPECT_LE(tries, 200) << "and at least half of that";
}

TEST(Patience, BeginsAnewWithEachCommit) {
    patience p{"group g", {.between = {.first = 100ms, .longest = 2s}, .whole = 10s}, 1};
    const auto first = p.failed();
    EXPECT_LE(first, 100ms);
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_LE(p.failed(), 200ms);
        p.committed();
    }
    EXPECT_GE(tries_of(p), 5);
}

TEST(Patience, SaysWhoTriedAndForHowLong) {
    patience p{"group g", {.whole = 1'500ms}, 1};
    try {
        for (;;) {
            std::ignore = p.failed();
        }
    } catch (const std::runtime_error& e) {
        EXPECT_TRUE(std::string_view{e.what()}.starts_with("group g: Kafka answers, and no transaction was "
                                                           "committed in 2 s of trying"))
            << e.what();
    }
}

} // namespace
} // namespace semel::kafka
