#include "pieces.hpp"

#include <audience/import.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace semel;
using audience::testing::pieces;

namespace {

audience::terms some_terms() {
    return {.default_region = "KR",
            .segment_names = {"entrance_code", "minor"},
            .slot_names = {"order_count"},
            .locale = [](std::string_view wanted) { return wanted == "en" ? std::string{"en"} : std::string{"ko"}; }};
}

struct imported {
    std::vector<v1::Recipient> recipients;
    std::vector<std::string> rejects; // "line,column,reason,effect"
    audience::totals totals;
    std::vector<std::string> warnings;
    std::string fault;
};

imported read(std::string text, audience::format format = audience::format::csv, std::size_t piece = 11,
              audience::terms terms = some_terms()) {
    audience::importer importer{pieces(std::move(text), piece), format, std::move(terms)};
    imported out;
    for (;;) {
        v1::Recipient one;
        const auto step = importer.next(one);
        if (!step) {
            out.fault = step.error().why();
            return out;
        }
        if (*step == audience::importer::step::end) {
            out.totals = importer.totals();
            out.warnings = importer.warnings();
            if (const auto whole = importer.judge_whole(); !whole) {
                out.fault = whole.error().why();
            }
            return out;
        }
        for (const auto& reject : importer.rejects()) {
            auto line = audience::to_csv(reject);
            out.rejects.push_back(line.substr(0, line.size() - 2));
        }
        if (*step == audience::importer::step::recipient) {
            out.recipients.push_back(std::move(one));
        }
    }
}

const std::string header = "recipient_id,email,phone,push,locale,name,country,segments,order_count,shoe_size\n";
const std::string token(64, 'a');

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// One row beside a good one: it is rejected at this line for this reason, and the good one stays.
void expect_rejected(const std::string& row, std::string_view column, std::string_view reason) {
    const auto got = read(header + row + "\ngood,g@example.com,,,,,,,,\n");
    ASSERT_EQ(got.fault, "") << row;
    ASSERT_EQ(got.rejects.size(), 1U) << row;
    EXPECT_TRUE(got.rejects[0].starts_with("2," + std::string{column} + ",")) << got.rejects[0];
    EXPECT_TRUE(has(got.rejects[0], reason)) << got.rejects[0];
    EXPECT_TRUE(got.rejects[0].ends_with(",row rejected")) << got.rejects[0];
    EXPECT_EQ(got.totals.rejected, 1U);
    ASSERT_EQ(got.recipients.size(), 1U);
    EXPECT_EQ(got.recipients[0].recipient_id(), "good");
    EXPECT_EQ(got.recipients[0].row(), 2U);
}

} // namespace

TEST(Import, WithoutANoticeAnySegmentIsTaken) {
    auto terms = some_terms();
    terms.any_segment = true;
    const auto got = read(header + "kim,kim@example.com,,,,,,vip;entrance_code,,\n", audience::format::csv, 11, terms);
    EXPECT_EQ(got.totals.rejected, 0U);
    ASSERT_EQ(got.recipients.size(), 1U);
    EXPECT_EQ(got.recipients[0].segments(), 0U);
}

TEST(Import, ARowBecomesARecipient) {
    const auto got = read("\xef\xbb\xbf" + header + "kim,Kim@Example.com,010-1234-5678,apns:" + token +
                          "; fcm:T1 ;,en,\"Kim, M\",KR," + "minor; entrance_code,7,270\n");
    ASSERT_EQ(got.fault, "");
    ASSERT_EQ(got.recipients.size(), 1U);
    const auto& r = got.recipients[0];
    EXPECT_EQ(r.row(), 1U);
    EXPECT_EQ(r.recipient_id(), "kim");
    EXPECT_EQ(r.locale(), "en");
    EXPECT_EQ(r.name(), "Kim, M");
    EXPECT_EQ(r.country(), "KR");
    EXPECT_EQ(r.segments(), 3U);
    ASSERT_EQ(r.addresses_size(), 4);
    EXPECT_EQ(r.addresses(0).canonical(), "kim@example.com");
    EXPECT_EQ(r.addresses(0).given(), "Kim@Example.com");
    EXPECT_EQ(r.addresses(1).canonical(), "+821012345678");
    EXPECT_EQ(r.addresses(2).transport(), "apns");
    EXPECT_EQ(r.addresses(3).given(), "T1");
    ASSERT_EQ(r.slots_size(), 1);
    EXPECT_EQ(r.slots().at("order_count"), "7");
    EXPECT_TRUE(got.rejects.empty());
}

TEST(Import, JsonSaysTheSameAsCsv) {
    const auto csv = read(header + "1001,Kim@Example.com,010-1234-5678,apns:" + token + ";fcm:T1,en,Kim,KR,minor,7,\n");
    const auto json = read(
        R"({"recipient_id":1001,"email":"Kim@Example.com","phone":"010-1234-5678","push":["apns:)" + token +
            R"(","fcm:T1"],"locale":"en","name":"Kim","country":"KR","segments":["minor"],"order_count":7,"x":{"y":[1.5]}})" +
            "\n",
        audience::format::ndjson);
    ASSERT_EQ(json.fault, "");
    ASSERT_EQ(json.recipients.size(), 1U);
    ASSERT_EQ(csv.recipients.size(), 1U);
    EXPECT_EQ(json.recipients[0].DebugString(), csv.recipients[0].DebugString());
}

TEST(Import, ABadAddressBesideAGoodOneIsLeftOut) {
    const auto got = read(header + "kim,kim@@example.com,010-1234-5678,,,,,,,\n");
    ASSERT_EQ(got.recipients.size(), 1U);
    EXPECT_EQ(got.recipients[0].addresses_size(), 1);
    ASSERT_EQ(got.rejects.size(), 1U);
    EXPECT_EQ(got.rejects[0], "2,email,it has more than one @,address left out");
    EXPECT_EQ(got.totals.rejected, 0U);
    EXPECT_EQ(got.totals.unreachable, 0U);
}

TEST(Import, APersonWhoseAddressesAreAllBadIsKeptAndListed) {
    const auto got = read(header + "kim,kim@,02-312-3456,,,,,,,\nlee,,,,,,,,,\n");
    ASSERT_EQ(got.recipients.size(), 2U);
    EXPECT_EQ(got.recipients[0].addresses_size(), 0);
    ASSERT_EQ(got.rejects.size(), 2U);
    EXPECT_TRUE(has(got.rejects[0], "address left out"));
    EXPECT_TRUE(has(got.rejects[1], "kept without an address"));
    EXPECT_EQ(got.totals.unreachable, 2U);
    EXPECT_EQ(got.totals.rejected, 0U);
}

TEST(Import, OneTokenTwiceInACellIsOneAddress) {
    const auto got = read(header + "kim,,,fcm:T1;fcm:T1,,,,,,\n");
    EXPECT_EQ(got.recipients.at(0).addresses_size(), 1);
    EXPECT_TRUE(got.rejects.empty());
}

TEST(Import, ARowThatCannotBeUnderstoodIsRejectedWithLineAndColumn) {
    expect_rejected(",kim@example.com,,,,,,,,", "recipient_id", "empty");
    expect_rejected("  ,kim@example.com,,,,,,,,", "recipient_id", "empty");
    expect_rejected(std::string(257, 'k') + ",kim@example.com,,,,,,,,", "recipient_id", "256");
    expect_rejected("k\tm,kim@example.com,,,,,,,,", "recipient_id", "control");
    expect_rejected("kim,kim@example.com,,,,,,vip,,", "segments", "segment");
    expect_rejected("kim,kim@example.com", "", "2 values");
    expect_rejected("kim,kim@example.com,,,,,,,,,", "", "11 values");
    expect_rejected("kim,kim@example.com,,,,K\xffm,,,,", "name", "UTF-8");
    expect_rejected("kim,kim@example.com,,,,\xc0\xaf,,,,", "name", "UTF-8"); // overlong
    expect_rejected("kim,kim@example.com,,,,K\"m,,,,", "name", "quote");
    expect_rejected(std::string{"kim,kim@example.com,,,,K\0m,,,,", 29}, "name", "NUL");
    expect_rejected("kim,kim@example.com,,,," + std::string(300'000, 'x') + ",,,,", "", "256 KiB");
}

TEST(Import, RejectsNeverRepeatAValue) {
    const auto got =
        read(header + "kim,planted@@example.com,planted,planted,,,,,,\nlee,,,,,,,planted,,\n\"lee\"planted,,,,,,,,,\n");
    ASSERT_EQ(got.rejects.size(), 5U);
    for (const auto& line : got.rejects) {
        EXPECT_FALSE(has(line, "planted")) << line;
    }
}

TEST(Import, ACellThatLooksLikeAFormulaIsText) {
    const auto got = read(header + "=1+1,kim@example.com,,,,\"=HYPERLINK(\"\"x\"\")\",,,,\n");
    EXPECT_EQ(got.recipients.at(0).recipient_id(), "=1+1");
    EXPECT_EQ(got.recipients.at(0).name(), "=HYPERLINK(\"x\")");
}

TEST(Import, AWrongFileIsRefusedWhole) {
    using namespace std::string_literals;
    EXPECT_TRUE(has(read("").fault, "empty"));
    EXPECT_TRUE(has(read("\n\n").fault, "empty"));
    EXPECT_TRUE(has(read(header).fault, "no rows"));
    EXPECT_TRUE(has(read("id,email\n1,a@example.com\n").fault, "recipient_id"));
    EXPECT_TRUE(has(read("recipient_id,email,email\n1,,\n").fault, "same name"));
    EXPECT_TRUE(has(read("recipient_id,,email\n1,,\n").fault, "column 2"));
    EXPECT_TRUE(has(read("recipient_id;email\n1;a@example.com\n").fault, "commas"));
    EXPECT_TRUE(has(read("recipient_id,em\xffil\n1,\n").fault, "UTF-8"));
    EXPECT_TRUE(has(read("\xff\xfer\0e\0c\0"s).fault, "UTF-16"));
    EXPECT_TRUE(has(read("\xfe\xff\0r\0e\0c"s).fault, "UTF-16"));
    EXPECT_TRUE(has(read("r\0e\0c\0i\0"s).fault, "UTF-16"));
    EXPECT_TRUE(has(read(header + "1,\"a@example.com,,\n").fault, "never closed"));
    EXPECT_FALSE(has(read("kim,planted@example.com\nlee,x@example.com\n").fault, "planted"));
}

TEST(Import, AFileInAnotherEncodingIsRefusedWhole) {
    std::string euc_kr = header;
    for (int i = 0; i < 40; ++i) {
        euc_kr +=
            std::to_string(i) + ",k@example.com,,,," + (i % 3 == 0 ? "\xb1\xe8\xb9\xce\xc1\xf6" : "Kim") + ",,,,\n";
    }
    const auto got = read(euc_kr);
    EXPECT_TRUE(has(got.fault, "another encoding")) << got.fault;
    EXPECT_TRUE(has(read("recipient_id,email,name\n1,,\xb1\xe8\n").fault, "another encoding"));
}

TEST(Import, ACutLastLineRefusesTheFile) {
    const std::string text = header + "kim,kim@example.com,010-1234-5678,,ko,Kim,KR,entrance_code,7,270\n"
                                      "lee,lee@example.com,010-1234-5679,,ko,Lee,KR,entrance_code,7,270";
    EXPECT_EQ(read(text).fault, ""); // legal: only the last line break is missing
    const auto last = text.rfind('\n') + 1;
    for (std::size_t cut = last + 1; cut < text.rfind(','); ++cut) {
        const auto got = read(text.substr(0, cut));
        ASSERT_TRUE(has(got.fault, "cut off")) << cut;
        ASSERT_TRUE(has(got.fault, "line 3")) << got.fault;
    }
    // Here only the value shows it.
    EXPECT_TRUE(has(read("recipient_id,email,segments\nkim,,minor\nlee,,min").fault, "cut off"));
}

TEST(Import, BadJsonIsRejectedWithItsLine) {
    const std::string good = R"({"recipient_id":"good","email":"g@example.com"})";
    const auto expect = [&](std::string line, std::string_view column, std::string_view reason) {
        const auto got = read(good + "\n" + line + "\n" + good + "\n", audience::format::ndjson);
        ASSERT_EQ(got.fault, "") << line;
        ASSERT_EQ(got.rejects.size(), 1U) << line;
        EXPECT_TRUE(got.rejects[0].starts_with("2," + std::string{column} + ",")) << got.rejects[0];
        EXPECT_TRUE(has(got.rejects[0], reason)) << got.rejects[0];
        EXPECT_EQ(got.recipients.size(), 2U);
    };
    expect("not json", "", "not valid");
    expect(R"({"recipient_id":"x")", "", "not valid");
    expect(R"({"recipient_id":"x","recipient_id":"y"})", "recipient_id", "twice");
    expect(R"({"recipient_id":"x","email":"a@example.com","email":"b@example.com"})", "email", "twice");
    expect(R"({"recipient_id":1.5})", "recipient_id", "text or an integer");
    expect(R"({"recipient_id":NaN})", "", "not valid");
    expect(R"({"recipient_id":123456789012345678901234567890})", "", "number");
    expect(R"({"recipient_id":true})", "recipient_id", "text or an integer");
    expect(R"({"recipient_id":{"a":1}})", "recipient_id", "text or an integer");
    expect(R"({"recipient_id":["a"]})", "recipient_id", "text or an integer");
    expect(R"({"recipient_id":"x","push":[1]})", "push", "text or an integer");
    expect(R"({"recipient_id":"a\u0000b"})", "recipient_id", "control");
    expect(R"({"recipient_id":"a","name":"\u0000"})", "name", "NUL");
    expect(R"({"recipient_id":"\ud800"})", "", "not valid");
    expect("{\"recipient_id\":\"\xff\"}", "", "UTF-8");
    expect(R"({"email":"a@example.com"})", "recipient_id", "empty");
    expect(R"({"recipient_id":null})", "recipient_id", "empty");
    expect("[1]", "", "not a JSON object");
    expect(R"({"x":)" + std::string(100, '[') + std::string(100, ']') + "}", "", "deep");
    expect(R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}", "", "deep");
    expect(R"({"recipient_id":")" + std::string(300'000, 'x') + "\"}", "", "256 KiB");
}

TEST(Import, JsonKeepsLargeIntegersExactly) {
    const auto got =
        read("{\"recipient_id\":9007199254740993}\n{\"recipient_id\":18446744073709551615}\n{\"recipient_id\":-7}\n",
             audience::format::ndjson);
    ASSERT_EQ(got.recipients.size(), 3U);
    EXPECT_EQ(got.recipients[0].recipient_id(), "9007199254740993");
    EXPECT_EQ(got.recipients[1].recipient_id(), "18446744073709551615");
    EXPECT_EQ(got.recipients[2].recipient_id(), "-7");
}

TEST(Import, JsonThatIsCutOffOrNoneIsRefusedWhole) {
    const std::string good = R"({"recipient_id":"good","email":"g@example.com"})";
    EXPECT_EQ(read(good, audience::format::ndjson).fault, ""); // the brace says that it is whole
    EXPECT_TRUE(has(read(good + "\n" + good.substr(0, 15), audience::format::ndjson).fault, "cut off"));
    EXPECT_TRUE(has(read("recipient_id,email\nkim,\n", audience::format::ndjson).fault, "--format csv"));
    EXPECT_TRUE(has(read("", audience::format::ndjson).fault, "no rows"));
}

TEST(Import, SkippingLeadsToTheSameRowsAndPlaces) {
    std::string text = header;
    for (int i = 1; i <= 50; ++i) {
        text += std::to_string(i) + (i % 7 == 0 ? "\n" : ",,,,,\"a\nb\",,,,\n") + (i % 5 == 0 ? "\n" : "");
    }
    for (std::uint64_t skipped = 0; skipped <= 50; ++skipped) {
        audience::importer whole{pieces(text, 9), audience::format::csv, some_terms()};
        audience::importer resumed{pieces(text, 13), audience::format::csv, some_terms()};
        v1::Recipient a, b;
        for (std::uint64_t i = 0; i < skipped; ++i) {
            ASSERT_TRUE(whole.next(a));
        }
        ASSERT_TRUE(resumed.skip_to(skipped));
        for (;;) {
            const auto x = whole.next(a);
            const auto y = resumed.next(b);
            ASSERT_TRUE(x && y);
            ASSERT_EQ(*x, *y);
            if (*x == audience::importer::step::end) {
                break;
            }
            ASSERT_EQ(a.SerializeAsString(), b.SerializeAsString());
            ASSERT_EQ(whole.position(), resumed.position());
            ASSERT_EQ(whole.rejects().size(), resumed.rejects().size());
        }
    }
    audience::importer short_file{pieces(text, 9), audience::format::csv, some_terms()};
    EXPECT_FALSE(short_file.skip_to(51));
}

TEST(Import, NoBytesCrashIt) {
    std::mt19937_64 random{11};
    using namespace std::string_view_literals; // a literal with NUL inside
    constexpr auto alphabet = "ab,,\"\n\n{}[]:;@.1\\\0\xea\xb9\x80\xff"sv;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = round % 2 == 0 ? header : std::string{"{\"recipient_id\":\"1\"}\n"};
        for (auto n = random() % 60; n > 0; --n) {
            text += alphabet[random() % alphabet.size()];
        }
        const auto format = round % 4 < 2 ? audience::format::csv : audience::format::ndjson;
        const auto got = read(text, format, 1 + random() % 20);
        if (got.fault.empty()) {
            ASSERT_EQ(got.totals.rows, got.totals.rejected + got.recipients.size());
        }
    }
}

// A database tool pads to fixed width; people pad by hand.
TEST(Import, PaddingAroundNamesAndValuesIsTakenOff) {
    const auto got = read(
        "recipient_id         , email                , phone        , locale , \"name\"   , country , order_count\n"
        "K001                 , k1@mail.example.com  , 010-2345-6001, ko     , \"김, 하나\" , KR      , 7  \n"
        "\u00a0K002\u3000,\tk2@mail.example.com\u200b,010-2345-6002,ko, 김하나\u00a0,KR,\n");
    ASSERT_EQ(got.fault, "");
    EXPECT_TRUE(got.rejects.empty());
    ASSERT_EQ(got.recipients.size(), 2U);
    EXPECT_EQ(got.recipients[0].recipient_id(), "K001");
    EXPECT_EQ(got.recipients[0].name(), "김, 하나");
    EXPECT_EQ(got.recipients[0].country(), "KR");
    EXPECT_EQ(got.recipients[0].slots().at("order_count"), "7");
    EXPECT_EQ(got.recipients[1].recipient_id(), "K002");
    EXPECT_EQ(got.recipients[1].name(), "김하나");
    for (const auto& who : got.recipients) {
        ASSERT_EQ(who.addresses_size(), 2);
        EXPECT_TRUE(who.addresses(0).given().ends_with("@mail.example.com"));
        EXPECT_TRUE(who.addresses(1).canonical().starts_with("+82102345600"));
    }
}

TEST(Import, AHeaderMayBeSpelledAsPeopleSpellIt) {
    const std::string row = "K001,k1@mail.example.com,010-2345-6001,ko,김하나\n";
    for (const char* spelled :
         {"recipient_id,Email,Phone,Locale,Name\n", "recipient_id,e-mail,phone number,locale,name\n",
          "\"Recipient ID\",\"EMAIL ADDRESS\",\"Mobile\",\"Language\",\"Full name\"\n",
          "\xef\xbb\xbf회원번호,이메일,휴대폰번호,언어,이름\n",
          "recipient_id,\u00a0"
          "email,p\u200bhone,locale,name\r\n"}) {
        const auto got = read(spelled + row);
        ASSERT_EQ(got.fault, "") << spelled;
        ASSERT_EQ(got.recipients.size(), 1U) << spelled;
        EXPECT_EQ(got.recipients[0].addresses_size(), 2) << spelled;
        EXPECT_EQ(got.recipients[0].name(), "김하나") << spelled;
        EXPECT_EQ(got.totals.unreachable, 0U) << spelled;
    }
}

TEST(Import, AKeyMayBeSpelledAsPeopleSpellIt) {
    const auto got =
        read(R"({"Recipient-ID":"K001","E-Mail":"k1@mail.example.com","휴대폰 번호":1023456001,"Order count":7})"
             "\n"
             R"({"recipient_id":"K002","email":"","mail":"k2@mail.example.com","user_id":9})"
             "\n",
             audience::format::ndjson);
    ASSERT_EQ(got.fault, "");
    ASSERT_EQ(got.recipients.size(), 2U);
    EXPECT_EQ(got.recipients[0].addresses_size(), 2) << "a phone number without quotes has lost its first zero";
    EXPECT_EQ(got.recipients[0].slots().at("order_count"), "7");
    EXPECT_EQ(got.recipients[1].recipient_id(), "K002");
    EXPECT_EQ(got.recipients[1].addresses_size(), 1);
}

TEST(Import, TwoKeysForOneAddressRejectTheRow) {
    const auto got = read(R"({"recipient_id":"K001","email":"a@example.com","e-mail":"b@example.com"})"
                          "\n"
                          R"({"recipient_id":"K002","email":"a@example.com"})"
                          "\n",
                          audience::format::ndjson);
    ASSERT_EQ(got.rejects.size(), 1U);
    EXPECT_TRUE(has(got.rejects[0], "email under two names")) << got.rejects[0];
    EXPECT_EQ(got.recipients.size(), 1U);
}

TEST(Import, AFileThatReachesNobodyIsRefused) {
    EXPECT_TRUE(has(read("recipient_id,emial,name\nK001,k1@mail.example.com,Kim\n").fault,
                    "no column is email or push or phone; the columns are recipient_id, emial, name"));
    EXPECT_TRUE(has(
        read(R"({"recipient_id":"K001","contact":{"email":"k1@mail.example.com"}})", audience::format::ndjson).fault,
        "the columns are recipient_id, contact"));
    auto only_mail = some_terms();
    only_mail.channels = {base::channel::email};
    EXPECT_TRUE(has(read("recipient_id,phone\nK001,010-2345-6001\n", audience::format::csv, 11, only_mail).fault,
                    "no column is email"));
    EXPECT_TRUE(has(read("recipient_id,email\n,k1@mail.example.com\n,k2@mail.example.com\n").fault,
                    "none of 2 rows can be taken (the first: line 2, column recipient_id"));
}

TEST(Import, MoreThanATenthWithoutAUsableAddressIsAskedAbout) {
    const auto file = [](int people, int without) {
        std::string text = "recipient_id,email\n";
        for (int i = 0; i < people; ++i) {
            text += std::to_string(i) + (i < without ? ",no-address\n" : ",k@mail.example.com\n");
        }
        return text;
    };
    EXPECT_EQ(read(file(20, 2)).fault, "") << "a tenth is not more than a tenth";
    const auto got = read(file(20, 3));
    EXPECT_TRUE(has(got.fault, "3 of 20 people (15.0 %) have no usable address for email, push, sms")) << got.fault;
    EXPECT_TRUE(has(got.fault, "the first: line 2, column email")) << got.fault;
    EXPECT_TRUE(has(got.fault, "--accept-unreachable")) << got.fault;
    auto accepting = some_terms();
    accepting.accept_unreachable = true;
    const auto accepted = read(file(20, 3), audience::format::csv, 11, accepting);
    EXPECT_EQ(accepted.fault, "");
    EXPECT_EQ(accepted.totals.unreachable, 3U);
    EXPECT_TRUE(has(read("recipient_id,email,phone\nK001,010-2345-6001,k1@mail.example.com\n").fault, "1 of 1 people"))
        << "the two columns are swapped";
}

// An address on a channel that the campaign does not use reaches nobody.
TEST(Import, OnlyTheCampaignsChannelsMakeSomebodyReachable) {
    auto only_mail = some_terms();
    only_mail.channels = {base::channel::email};
    only_mail.accept_unreachable = true;
    const auto got = read("recipient_id,email,phone\nK001,,010-2345-6001\n", audience::format::csv, 11, only_mail);
    EXPECT_EQ(got.totals.unreachable, 1U);
    EXPECT_EQ(got.recipients.at(0).addresses_size(), 1);
}

TEST(Import, AQuoteThatSwallowsRowsRefusesTheFile) {
    const std::string head = "recipient_id,email,name\n";
    const std::string tail = "K007,k7@mail.example.com,\"Lee\"\nK008,k8@mail.example.com,Lee\n";
    const auto opened = head + "K001,k1@mail.example.com,\"Kim\nK002,k2@mail.example.com,Kim\n" + tail;
    EXPECT_TRUE(has(read(opened).fault, "lines 2 to 4 are one row")) << read(opened).fault;
    // Here the quotes pair up, and only the commas in a name show it.
    const auto paired = head + "K001,k1@mail.example.com,\"Kim\nK002,k2@mail.example.com,Kim\"\n" + tail;
    EXPECT_TRUE(has(read(paired).fault, "lines 2 to 3 are one row")) << read(paired).fault;
    EXPECT_TRUE(has(read(paired).fault, "(name)")) << read(paired).fault;
    // And here nothing but the length does.
    std::string text = "recipient_id,email,order_count\nK001,k1@mail.example.com,\"";
    for (int i = 0; i < 30; ++i) {
        text += "K,k@mail.example.com,1\n";
    }
    EXPECT_TRUE(has(read(text + "\"\n").fault, "not closed for more than 20 lines")) << read(text + "\"\n").fault;
}

TEST(Import, AValueThatRunsOverLinesIsTakenAndSaid) {
    const auto got = read("recipient_id,email,order_count\nK001,k1@mail.example.com,\"Seoul,\nGangnam\"\n"
                          "K002,k2@mail.example.com,7\n");
    ASSERT_EQ(got.fault, "");
    EXPECT_EQ(got.recipients.size(), 2U);
    ASSERT_FALSE(got.warnings.empty());
    EXPECT_TRUE(has(got.warnings.back(), "1 of 2 rows run over several lines (the first is lines 2 to 3)"));
    EXPECT_FALSE(has(read("recipient_id,email\nK001,k1@mail.example.com\n").warnings.back(), "several lines"));
}

TEST(Import, OtherSeparatorsLineEndsAndHeadersAreNamed) {
    EXPECT_TRUE(has(read("recipient_id;email\nK001;k1@mail.example.com\n").fault, "semicolons"));
    EXPECT_TRUE(has(read("recipient_id\temail\nK001\tk1@mail.example.com\n").fault, "tabs"));
    EXPECT_TRUE(has(read("recipient_id,email\rK001,k1@mail.example.com\r").fault, "line feed"));
    EXPECT_TRUE(
        has(read("K001,k1@mail.example.com\nK002,k2@mail.example.com\n").fault, "not a column's name but a value"));
    EXPECT_TRUE(has(read("recipient_id,email,e-mail\nK001,k1@mail.example.com,\n").fault, "both mean email"));
}

TEST(Import, ASeparatorTooManyInEveryRowCostsNobody) {
    const auto got = read("recipient_id,email,\nK001,k1@mail.example.com,\nK002,k2@mail.example.com,stray\n");
    ASSERT_EQ(got.fault, "");
    EXPECT_EQ(got.recipients.size(), 1U);
    ASSERT_EQ(got.rejects.size(), 1U);
    EXPECT_TRUE(has(got.rejects[0], "column 3, which the header does not name")) << got.rejects[0];
    EXPECT_FALSE(has(got.rejects[0], "stray"));
}

TEST(Import, WhatReachesPeopleIsComposed) {
    const auto got = read("recipient_id,email,name,order_count\n"
                          "K001,k1@mail.example.com,\u1100\u1175\u11b7\u1112\u1161\u1102\u1161,Rene\u0301\n");
    ASSERT_EQ(got.recipients.size(), 1U);
    EXPECT_EQ(got.recipients[0].name(), "김하나");
    EXPECT_EQ(got.recipients[0].slots().at("order_count"), "Ren\u00e9");
}

TEST(Import, ColumnsAreListedWithWhatTheyAreTakenFor) {
    audience::importer importer{pieces("recipient_id,E-Mail,Order count,shoe\nK001,k1@mail.example.com,1,2\n"),
                                audience::format::csv, some_terms()};
    v1::Recipient one;
    ASSERT_TRUE(importer.next(one));
    std::vector<std::string> listed;
    for (const auto& column : importer.columns()) {
        listed.push_back(column.name + "=" + importer.use_of(column));
    }
    EXPECT_EQ(listed, (std::vector<std::string>{"recipient_id=recipient_id", "E-Mail=email",
                                                "Order count=slot order_count", "shoe=unused"}));
}
