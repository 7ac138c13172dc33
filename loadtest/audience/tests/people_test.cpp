#include <audience/import.hpp>

#include <gtest/gtest.h>
#include <people.hpp>

#include <set>

using namespace semel;

namespace {

constexpr std::uint64_t rows = 30'000;

std::string text_of(const people::choices& how, audience::format format, people::oracle& oracle) {
    std::string text{format == audience::format::csv ? people::csv_header() : ""};
    for (std::uint64_t i = 1; i <= rows; ++i) {
        const auto one = people::make(how, i);
        oracle.see(one);
        format == audience::format::csv ? people::append_csv(text, one) : people::append_ndjson(text, one);
    }
    return text;
}

/// Semel's own reading of the text must come to what the makers know.
void expect_agreement(const people::choices& how, audience::format format) {
    people::oracle oracle;
    const auto text = text_of(how, format, oracle);
    bool given = false;
    audience::importer importer{
        [&]() -> base::result<std::string_view> {
            return std::exchange(given, true) ? std::string_view{} : std::string_view{text};
        },
        format,
        {.default_region = "KR", .segment_names = {"entrance_code"}, .slot_names = {}, .locale = [](std::string_view) {
             return std::string{"ko"};
         }}};
    std::set<std::string> ids;
    std::set<std::string> addresses[4];
    std::uint64_t unreachable = 0;
    std::uint64_t doubles = 0;
    for (;;) {
        v1::Recipient one;
        const auto step = importer.next(one);
        ASSERT_TRUE(step) << step.error().why();
        if (*step == audience::importer::step::end) {
            break;
        }
        if (*step == audience::importer::step::rejected) {
            continue;
        }
        if (!ids.insert(one.recipient_id()).second) {
            ++doubles;
            continue;
        }
        unreachable += one.addresses().empty() ? 1 : 0;
        for (const auto& address : one.addresses()) {
            addresses[address.channel()].insert(address.canonical());
        }
    }
    EXPECT_EQ(importer.totals().rows, oracle.rows);
    EXPECT_EQ(importer.totals().rejected, oracle.rejected);
    EXPECT_EQ(importer.totals().left_out, oracle.left_out);
    EXPECT_EQ(doubles, oracle.double_ids);
    EXPECT_EQ(unreachable, oracle.unreachable);
    EXPECT_EQ(addresses[v1::CHANNEL_EMAIL].size(), oracle.mailboxes.size());
    EXPECT_EQ(addresses[v1::CHANNEL_SMS].size(), oracle.numbers.size());
    EXPECT_EQ(addresses[v1::CHANNEL_PUSH].size(), oracle.tokens.size());
}

} // namespace

TEST(People, SemelFindsWhatTheOracleKnows) {
    expect_agreement({.seed = 1, .messy = false}, audience::format::csv);
    expect_agreement({.seed = 2, .messy = true}, audience::format::csv);
    expect_agreement({.seed = 3, .messy = true}, audience::format::ndjson);
}

TEST(People, AreTheSameForTheSameSeed) {
    people::oracle a, b, c;
    const auto text = text_of({.seed = 5, .messy = true}, audience::format::csv, a);
    EXPECT_EQ(text, text_of({.seed = 5, .messy = true}, audience::format::csv, b));
    EXPECT_EQ(a.json(), b.json());
    EXPECT_NE(text, text_of({.seed = 6, .messy = true}, audience::format::csv, c));
}

TEST(People, ShareAddressesAndHaveEveryFlaw) {
    people::oracle oracle;
    text_of({.seed = 1, .messy = true}, audience::format::csv, oracle);
    EXPECT_LT(oracle.mailboxes.size(), rows * 95 / 100);
    EXPECT_LT(oracle.numbers.size(), rows * 95 / 100);
    EXPECT_GT(oracle.rejected, 5U);
    EXPECT_GT(oracle.double_ids, 0U);
    EXPECT_GT(oracle.unreachable, 0U);
    EXPECT_GT(oracle.left_out, 100U);
    EXPECT_NEAR(static_cast<double>(oracle.entrance_codes) / rows, 0.38, 0.02);
}
