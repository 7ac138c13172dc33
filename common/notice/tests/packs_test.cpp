#include "folder.hpp"

#include <notice/deadline.hpp>
#include <notice/packs.hpp>
#include <notice/rules.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <chrono>
#include <set>

using namespace semel;
using namespace semel::notice;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

namespace {

/// "severity id" of each problem, once.
std::set<std::string> kinds_of_problems(const std::vector<problem>& problems) {
    std::set<std::string> out;
    for (const auto& p : problems) {
        out.insert(std::string{to_string(p.how_bad)} + " " + p.id);
    }
    return out;
}

std::string in_words(const std::vector<problem>& problems) {
    std::string out;
    for (const auto& p : problems) {
        out += to_text(p) + "\n";
    }
    return out;
}

files folder_of(const YAML::Node& base) {
    files out;
    for (const auto& file : base) {
        out[file.first.as<std::string>()] = file.second.as<std::string>();
    }
    return out;
}

const YAML::Node& corpus() {
    static const auto all = YAML::LoadFile("common/notice/tests/data/texts.yaml");
    return all;
}

notice_source sourced(std::vector<std::string> jurisdictions, const char* aware_at, kind k = kind::breach) {
    notice_source out;
    out.kind = k;
    out.jurisdictions = std::move(jurisdictions);
    out.aware_at = base::from_rfc3339(aware_at);
    return out;
}

std::string deadline(const notice_source& source) {
    const auto found = legal_deadline_of(source);
    return found ? base::to_rfc3339(found->at) + (found->delayed_by.empty() ? "" : ", " + found->delayed_by) : "none";
}

} // namespace

TEST(Texts, AreFoundRightOrWrongForTheReasonsThatPeopleWouldGive) {
    ASSERT_GE(corpus()["cases"].size(), 60U);
    for (const auto& one : corpus()["cases"]) {
        const auto name = one["name"].as<std::string>();
        auto folder = folder_of(corpus()["bases"][one["base"].as<std::string>()]);
        ASSERT_FALSE(folder.empty()) << name;
        for (const auto& change : one["change"]) {
            auto& text = folder.at(change["file"].as<std::string>());
            const auto from = change["from"].as<std::string>();
            ASSERT_NE(text.find(from), text.npos) << name << ": " << from;
            text.replace(text.find(from), from.size(), change["to"].as<std::string>());
        }
        const auto checked = check(folder);
        const auto finds = one["finds"].as<std::vector<std::string>>(std::vector<std::string>{});
        const std::set<std::string> expected{finds.begin(), finds.end()};
        EXPECT_EQ(kinds_of_problems(checked.problems), expected) << name << "\n" << in_words(checked.problems);
    }
}

TEST(Texts, TheOriginCasesFirstNoticeHasTheFourFaultsThatTheRegulatorFound) {
    const auto checked = check(load_folder("common/notice/tests/data/origin-first").value());
    EXPECT_THAT(kinds_of_problems(checked.problems), IsSupersetOf({
                                                         "finding KR-W1", // it says exposure
                                                         "finding KR-S",  // a day on the site
                                                         "finding KR-1",  // the entrance codes are left out
                                                         "finding KR-3",  // weak advice
                                                     }))
        << in_words(checked.problems);
}

TEST(Texts, TheOriginCasesRenewedNoticeHasNone) {
    const auto checked = check(load_folder("common/notice/tests/data/origin-renewed").value());
    EXPECT_THAT(kinds_of_problems(checked.problems), IsEmpty()) << in_words(checked.problems);
}

TEST(Texts, AFindingNamesItsLaw) {
    const auto checked = check(load_folder("common/notice/tests/data/origin-first").value());
    for (const auto& p : checked.problems) {
        EXPECT_FALSE(p.law.empty()) << to_text(p);
    }
    EXPECT_THAT(in_words(checked.problems), HasSubstr("[KR-PIPA Art. 34(1) no. 3]"));
}

TEST(Packs, NotTriggeredIsAnAnswerOfItsOwn) {
    auto source = sourced({"US-CA", "KR-PIPA"}, "2026-10-05T00:00:00Z");
    source.leaked = {"name", "delivery_address", "phone"};
    const auto answers = answers_of(source);
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].standing, standing::not_triggered);
    EXPECT_FALSE(answers[0].why.empty());
    EXPECT_EQ(answers[1].standing, standing::applies);
    source.leaked = {"name", "payment"};
    EXPECT_EQ(answers_of(source)[0].standing, standing::applies);
    source.leaked = {};
    EXPECT_EQ(answers_of(source)[0].standing, standing::undecided);
}

TEST(Packs, ADutyThatCameLaterIsNotInForce) {
    EXPECT_EQ(answers_of(sourced({"KR-PIPA"}, "2026-09-10T23:59:59+09:00", kind::possibility))[0].standing,
              standing::not_in_force);
    EXPECT_EQ(answers_of(sourced({"KR-PIPA"}, "2026-09-11T00:00:00+09:00", kind::possibility))[0].standing,
              standing::applies);
}

TEST(Packs, TheDeadlineIsTheLawsOfTheDayOfAwareness) {
    EXPECT_EQ(deadline(sourced({"KR-PIPA"}, "2026-10-05T00:00:00Z")), "2026-10-08T00:00:00Z");
    EXPECT_EQ(deadline(sourced({"KR-PIPA"}, "2026-10-05T00:00:00Z", kind::supplement)), "none");
    EXPECT_EQ(deadline(sourced({"KR-PIPA"}, "2026-10-05T00:00:00Z", kind::possibility)), "2026-10-08T00:00:00Z");
    EXPECT_EQ(deadline(sourced({"KR-PIPA"}, "2026-09-05T00:00:00Z", kind::possibility)), "none");
    EXPECT_EQ(deadline(sourced({"EU-GDPR", "UK-GDPR", "JP-APPI"}, "2026-10-05T00:00:00Z")), "none");
    auto california = sourced({"US-CA", "EU-GDPR"}, "2026-10-05T00:00:00Z");
    EXPECT_EQ(deadline(california), "2026-11-04T00:00:00Z");
    california.leaked = {"name", "phone"}; // asks for nothing
    EXPECT_EQ(deadline(california), "none");
    california.leaked = {"name", "payment"};
    california.aware_at = base::from_rfc3339("2025-12-31T23:59:59-08:00");
    EXPECT_EQ(deadline(california), "none");
}

TEST(Packs, AGroundOfTheLawsOwnMovesTheDeadlineAndNoOther) {
    auto source = sourced({"KR-PIPA"}, "2026-10-05T00:00:00Z");
    source.delayed = {.ground = "containment", .until = base::from_rfc3339("2026-10-10T00:00:00Z"), .line = 1};
    EXPECT_EQ(deadline(source), "2026-10-10T00:00:00Z, urgent measures against further leaks");
    source.delayed->until = base::from_rfc3339("2026-10-06T00:00:00Z");
    EXPECT_EQ(deadline(source), "2026-10-08T00:00:00Z") << "it ended within the hours";
    source.delayed->until = std::nullopt;
    EXPECT_EQ(deadline(source), "none") << "it stands";
    source.delayed->ground = "law-enforcement"; // California's
    EXPECT_EQ(deadline(source), "2026-10-08T00:00:00Z");
    EXPECT_FALSE(is_known_delay(source));
}

TEST(Packs, EachReadsAndEveryWordsRuleHasItsWords) {
    std::vector<std::string> names;
    for (const auto& p : built_in_packs()) {
        names.push_back(p.name);
        EXPECT_FALSE(p.law.empty());
        for (const auto& e : p.elements) {
            EXPECT_EQ(e.by_words, built_in_rules().say.contains(e.id) && e.by_words) << e.id;
        }
    }
    EXPECT_THAT(names, IsSupersetOf({"KR-PIPA", "EU-GDPR", "UK-GDPR", "US-CA", "JP-APPI", "SG-PDPA"}));
    EXPECT_EQ(pack_named("XX"), nullptr);
    EXPECT_EQ(pack_named(""), nullptr);
    EXPECT_THROW(read_pack("{law: a, elements: [{id: X, law: b, severity: error, kinds: [], what: c}]}"),
                 std::runtime_error);
    EXPECT_THROW(read_pack("{law: a, elements: [{id: X, law: b, severity: bad, kinds: [breach], what: c}]}"),
                 std::runtime_error);
}
