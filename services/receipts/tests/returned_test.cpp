#include <gtest/gtest.h>
#include <receipts/core/returned.hpp>

namespace semel::receipts {
namespace {

using kind = bounce::kind;

bounce said(kind what, std::string status = {}) {
    bounce b;
    b.what = what;
    b.recipients.push_back({.address = "kim@example.org",
                            .what = what,
                            .status = std::move(status),
                            .diagnostic = "smtp; 550 5.1.1 <kim@example.org> unknown"});
    return b;
}

v1::GatewayReceipt report(const bounce& b) {
    correlation::notification_prefix id{};
    id[0] = 7;
    return report_of(b, {.gateway = "relay-a", .notification = id}, base::from_us(1'800'000'000'000'000));
}

TEST(ReturnedMail, IsAReportOfTheMessageThatItsReturnPathNames) {
    const auto r = report(said(kind::failed, "5.1.1"));
    EXPECT_EQ(r.gateway(), "relay-a");
    EXPECT_EQ(r.channel(), v1::CHANNEL_EMAIL);
    EXPECT_EQ(r.state(), static_cast<unsigned>(v1::RECEIPT_BOUNCED));
    EXPECT_EQ(r.code(), "5.1.1");
    EXPECT_EQ(r.notification(), std::string("\x07") + std::string(15, '\0'));
    EXPECT_EQ(r.time_us(), 1'800'000'000'000'000);
}

TEST(ReturnedMail, ProvesWhatItSaysAndNoMore) {
    const std::pair<kind, v1::ReceiptState> rows[]{
        {kind::failed, v1::RECEIPT_BOUNCED},      {kind::delayed, v1::RECEIPT_INTERMEDIATE},
        {kind::delivered, v1::RECEIPT_DELIVERED}, {kind::complaint, v1::RECEIPT_COMPLAINED},
        {kind::automatic, v1::RECEIPT_UNKNOWN},   {kind::unknown, v1::RECEIPT_UNKNOWN}};
    for (const auto& [what, state] : rows) {
        EXPECT_EQ(report(said(what)).state(), static_cast<unsigned>(state)) << to_string(what);
    }
}

TEST(ReturnedMail, CarriesNoAddress) {
    auto b = said(kind::failed, "kim@example.org");
    b.feedback_type = "kim@example.org";
    for (const auto what : {kind::failed, kind::complaint}) {
        b.what = what;
        EXPECT_FALSE(report(b).SerializeAsString().contains("kim@")) << to_string(what);
    }
    b.feedback_type = "abuse";
    EXPECT_EQ(report(b).code(), "abuse");
}

} // namespace
} // namespace semel::receipts
