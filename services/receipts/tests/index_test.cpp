// What all processes know together, against a real PostgreSQL, where there is much of it.

#include "messages.hpp"

#include <postgres/pool.hpp>

#include <receipts/edge/index.hpp>

#include <string>
#include <utility>

namespace semel::receipts::testing {
namespace {

/// One question, to a pool of its own: its thread must have ended before play()'s loop does.
index::answer ask(const std::string& dsn, const index::question& asked) {
    index::answer told;
    const auto exchange = [](std::string where, index::question q, index::answer& into) -> asio::awaitable<void> {
        postgres::pool db{std::move(where), 1, {.statement = 3s}};
        index all{db};
        into = co_await all.exchange(std::move(q), base::now());
    };
    play([&] { return exchange(dsn, asked, told); });
    return told;
}

index::told accepted(const std::string& notification, int number) {
    v1::Event e;
    e.set_kind(v1::EVENT_ACCEPTED);
    e.set_campaign_id("c-1");
    e.set_notification(notification);
    e.set_channel(v1::CHANNEL_SMS);
    e.set_attempt(1);
    e.set_gateway("smsc-a");
    e.set_gateway_message_id(fmt::format("{:x}", number));
    return {.event = std::move(e), .number = {}};
}

/// Of a centre that answers in hexadecimal and reports in decimal.
v1::GatewayReceipt report_of(const std::string& notification, int number) {
    auto r = receipt(std::to_string(number));
    r.set_user_message_reference(static_cast<std::uint32_t>(static_cast<unsigned char>(notification[0]) << 8U |
                                                            static_cast<unsigned char>(notification[1])));
    return r;
}

// Each form of an id held against each orphaned report: 300 against 8,700 took 1.2 s. The limit of ask() is three.
TEST(Index, FindsTheReportsOfABatchAmongFortyThousandOthers) {
    const database in;
    postgres::pool{in.dsn(), 1}.run_blocking(migrate);
    constexpr int orphaned = 40'000;
    constexpr int first = 0x1000000;
    for (int n = 0; n < orphaned; n += 2'000) {
        index::question strangers;
        for (int i = n; i < n + 2'000; ++i) {
            strangers.receipts.push_back(report_of(new_notification(), first + i));
        }
        ASSERT_EQ(ask(in.dsn(), strangers).orphaned, 2'000U);
    }
    index::question came, ours;
    for (int i = 0; i < 500; ++i) {
        const auto id = new_notification();
        ours.learned.push_back(accepted(id, first + orphaned + i));
        if (i < 100) {
            came.receipts.push_back(report_of(id, first + orphaned + i));
        }
    }
    ASSERT_EQ(ask(in.dsn(), came).orphaned, 100U) << "before their messages";
    const auto found = ask(in.dsn(), ours).matches;
    ASSERT_EQ(found.size(), 100U);
    for (const auto& m : found) {
        EXPECT_EQ(m.receipt.user_message_reference() >> 8U, static_cast<unsigned char>(m.about.notification[0]));
    }
}

} // namespace
} // namespace semel::receipts::testing
