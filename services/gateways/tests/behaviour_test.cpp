#include "fed.hpp"

#include <gateways/bearer.hpp>
#include <gateways/config.hpp>
#include <gateways/text.hpp>
#include <gtest/gtest.h>

namespace semel::gateways {
namespace {

using fate = course::fate;

behaviour of(kind k, std::string_view text) {
    auto b = polite(k);
    const auto ok = change(k, b, json::read(text).value().as_object());
    EXPECT_TRUE(ok) << ok.error().why();
    return b;
}
bool refuses(kind k, std::string_view text) {
    auto b = polite(k);
    return !change(k, b, json::read(text).value().as_object());
}

TEST(Behaviour, ReadsEachKindsAnswers) {
    const auto smtp = of(kind::smtp, R"({"errors": {"451 4.7.1": 0.05, "550 5.1.1": 0.01, "data:421 4.3.2": 0.02}})");
    ASSERT_EQ(smtp.errors.size(), 3U);
    EXPECT_EQ(smtp.errors[0].first.code, 451U);
    EXPECT_EQ(smtp.errors[0].first.at, refusal::place::dot);
    EXPECT_EQ(smtp.errors[1].first.at, refusal::place::rcpt) << "a bad address is refused where it is named";
    EXPECT_EQ(smtp.errors[2].first.at, refusal::place::data);
    EXPECT_EQ(of(kind::apns, R"({"errors": {"410": 1}})").errors[0].first.name, "410 Unregistered");
    EXPECT_EQ(of(kind::fcm, R"({"errors": {"429": 1}})").errors[0].first.name, "429 QUOTA_EXCEEDED");
    EXPECT_EQ(of(kind::smpp, R"({"errors": {"0x14": 1}})").errors[0].first.code, 0x14U);
}

TEST(Behaviour, RefusesWhatItDoesNotUnderstandAndChangesNothing) {
    for (const auto* text :
         {R"({"errors": {"250 2.0.0": 1}})", R"({"errors": {"451 5.7.1": 1}})", R"({"errors": {"451 4.7.1": 1.5}})",
          R"({"errors": {"451 4.7.1": 0.6, "452 4.3.1": 0.6}})", R"({"latency": 1})",
          R"({"silence": 0.7, "accept_then_reset": 0.7})", R"({"hang": 1})", R"({"receipts": {"probability": 1}})"}) {
        EXPECT_TRUE(refuses(kind::smtp, text)) << text;
    }
    EXPECT_TRUE(refuses(kind::smpp, R"({"errors": {"58": 1}})"));
    EXPECT_TRUE(refuses(kind::smpp, R"({"receipts": {"states": {"GONE": 1}}})"));
    auto b = polite(kind::smtp);
    EXPECT_FALSE(change(kind::smtp, b, json::read(R"({"silence": 0.5, "nonsense": 1})").value().as_object()));
    EXPECT_EQ(b.silence, 0);
}

TEST(Behaviour, SharesComeTrue) {
    const auto b = of(kind::smtp, R"({"errors": {"451 4.7.1": 0.05}, "silence": 0.02, "fail_share": 0.01})");
    int refused = 0, silent = 0, dead = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto address = fmt::format("p{}@example.com", i);
        const auto c = draw(b, address, chance{hashed(address, 7)});
        dead += fails_for_ever(b, address) ? 1 : 0;
        refused += c.what == fate::refuse && c.why.name == "451 4.7.1" ? 1 : 0;
        silent += c.what == fate::silence ? 1 : 0;
    }
    EXPECT_NEAR(refused, 1000, 150);
    EXPECT_NEAR(silent, 400, 100);
    EXPECT_NEAR(dead, 200, 60);
}

TEST(Behaviour, DeadAddressesStayDead) {
    const auto b = of(kind::smtp, R"({"fail_suffix": ["@dead.example"]})");
    EXPECT_EQ(draw(b, "ann@dead.example", chance{1}).what, fate::refuse);
    EXPECT_EQ(draw(b, "ann@dead.example", chance{2}).why.name, "550 5.1.1");
    EXPECT_EQ(draw(b, "ann@alive.example", chance{1}).what, fate::accept);
}

TEST(Desk, RepeatsItselfWhateverTheOrder) {
    const auto run = [](bool backwards) {
        testing::a_desk d{kind::apns};
        d.behave(R"({"errors": {"503": 0.5}})");
        std::vector<fate> out(400);
        for (int i = 0; i < 400; ++i) {
            const int n = backwards ? 399 - i : i;
            out[static_cast<std::size_t>(n)] = d.desk.decide(fmt::format("id{}", n), "").what;
        }
        return out;
    };
    EXPECT_EQ(run(false), run(true));
}

TEST(Desk, ATryAgainIsDrawnAnew) {
    testing::a_desk d{kind::apns};
    d.behave(R"({"errors": {"503": 0.5}})");
    int tries = 0;
    for (int i = 0; i < 100; ++i) {
        const auto id = fmt::format("id{}", i);
        while (d.desk.decide(id, "").what != fate::accept) {
            ASSERT_LT(++tries, 1000);
        }
        EXPECT_EQ(d.desk.decide(id, "").what, fate::accept) << "a duplicate of what was accepted is accepted";
    }
    EXPECT_NEAR(tries, 100, 50);
}

TEST(RateWindow, CountsAnySecond) {
    rate_window w;
    const rate_window::clock::time_point zero{};
    using std::chrono::milliseconds;
    for (const int ms : {0, 900, 950, 990, 1010, 1899}) { // five within 900..1899, never five within a whole second
        w.add(zero + milliseconds{ms});
    }
    EXPECT_EQ(w.most(), 5U);
    EXPECT_FALSE(w.room(5, zero + milliseconds{1899}));
    EXPECT_TRUE(w.room(5, zero + milliseconds{1900}));
}

TEST(Journal, DropsTheTornLineOfAKilledRun) {
    testing::scratch_folder folder;
    const auto file = folder.path / "smtp-1.jsonl";
    std::ofstream{file} << "{\"id\":\"a\"}\n{\"id\":\"b";
    journal j{file};
    j.lines() += "{\"id\":\"c\"}\n";
    j.flush();
    EXPECT_EQ(testing::whole(file), "{\"id\":\"a\"}\n{\"id\":\"c\"}\n");
}

TEST(Text, JsonSurvivesAnyBytes) {
    std::string out;
    append_json(out, "a\"b\\c\n\xED\x95\x9C");
    EXPECT_EQ(json::read(out).value().as_string(), "a\"b\\c\n\xED\x95\x9C");
    for (const auto* bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
        EXPECT_FALSE(is_utf8(bad));
        out.clear();
        append_json(out, bad);
        EXPECT_TRUE(json::read(out)) << out;
    }
}

TEST(Text, Base64IsTheStandards) {
    for (const auto& [plain, coded] : {std::pair{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
        std::string out;
        append_base64(out, plain);
        EXPECT_EQ(out, coded);
    }
    EXPECT_EQ(from_base64url("Zm9v").value(), "foo");
    EXPECT_EQ(from_base64url("-_8").value(), "\xFB\xFF");
    EXPECT_FALSE(from_base64url("Zm9v="));
    EXPECT_FALSE(from_base64url("Z"));
}

TEST(Sections, ApplyFromTheGeneralToTheSpecial) {
    const auto all =
        json::read(R"({"all": {"latency_ms": 1}, "smtp": {"latency_ms": 2}, "smtp-25": {"latency_ms": 3}})");
    const auto& o = all.value().as_object();
    EXPECT_EQ(sections_for(o, kind::smtp, "smtp-25").size(), 3U);
    EXPECT_EQ(sections_for(o, kind::smtp, "smtp-26").size(), 2U);
    EXPECT_EQ(sections_for(o, kind::fcm, "fcm-1").size(), 1U);
    EXPECT_TRUE(check_sections(o, {{kind::smtp, "smtp-25"}}));
    EXPECT_FALSE(check_sections(o, {{kind::smtp, "smtp-26"}})) << "a section for nobody is a mistake";
}

} // namespace
} // namespace semel::gateways
