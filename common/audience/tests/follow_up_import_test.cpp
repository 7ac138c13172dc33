// A file that the api wrote for a follow-up says more of its people than anybody else's.

#include "pieces.hpp"

#include <audience/import.hpp>
#include <base/bytes.hpp>

#include <gtest/gtest.h>

using namespace semel;

namespace {

const std::string row = R"({"recipient_id":"K001","email":"k1@mail.example.com","order_count":"3",)"
                        R"("semel.person":"000102030405060708090a0b0c0d0e0f",)"
                        R"("semel.thread":"<aa@shop.example.com> <bb@shop.example.com>"})"
                        "\n";

audience::terms some_terms() {
    return {.default_region = "KR", .segment_names = {}, .slot_names = {"order_count"}, .locale = [](std::string_view) {
                return std::string{"ko"};
            }};
}

v1::Recipient first_of(std::string text, audience::terms terms) {
    audience::importer importer{audience::testing::pieces(std::move(text)), audience::format::ndjson, std::move(terms)};
    v1::Recipient one;
    const auto step = importer.next(one);
    EXPECT_TRUE(step && *step == audience::importer::step::recipient);
    return one;
}

TEST(FollowUpImport, SaysWhomOfAnEarlierCampaignARowIs) {
    const auto who = first_of(row, audience::for_follow_up(some_terms()));
    EXPECT_EQ(base::to_hex(who.follows()), "000102030405060708090a0b0c0d0e0f");
    ASSERT_EQ(who.thread_size(), 2);
    EXPECT_EQ(who.thread(0), "<aa@shop.example.com>");
    EXPECT_EQ(who.thread(1), "<bb@shop.example.com>");
    EXPECT_EQ(who.slots_size(), 1) << "neither is a slot";
    EXPECT_EQ(who.slots().at("order_count"), "3");
}

// A slot has no dot in its name, so no notice asks for such a column.
TEST(FollowUpImport, TakesNobodysWordForIt) {
    const auto by_hand = first_of(row, some_terms());
    EXPECT_TRUE(by_hand.follows().empty());
    EXPECT_EQ(by_hand.thread_size(), 0);
}

} // namespace
