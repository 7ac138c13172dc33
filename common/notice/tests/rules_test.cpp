#include "folder.hpp"

#include <notice/rules.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel::notice;
using semel::notice::test::a_folder;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

namespace {

/// The rules that a Korean follow-up with this sentence and these rights breaks, by id.
std::vector<std::string> korean(const std::string& sentence, const std::string& rights) {
    auto folder = a_folder();
    auto& yaml = folder["notice.yaml"];
    const auto put = [&yaml](std::string_view old, std::string_view now) {
        yaml.replace(yaml.find(old), old.size(), now);
    };
    put("kind: breach", "kind: follow-up");
    put("{en: \"Notice of data leak\"}", "{ko: \"개인정보 유출 재통지\"}");
    put("aware_at: 2026-01-05", "aware_at: 2026-10-05");
    put("{en: customer}", "{ko: 고객}");
    put("default: en}", "default: ko}");
    files out{{"notice.yaml", yaml}};
    out["email.ko.md"] = "{{name}} 님, " + sentence +
                         "\n\n## 경위 {#what_happened}\n유출 경위.\n## 항목 {#what_leaked}\n이름.\n"
                         "## 조치 {#what_you_can_do}\n{{#code}}\n비밀번호를 바꾸세요.\n{{/code}}\n주의하세요.\n"
                         "## 대응 {#what_we_do}\n막았습니다.\n## 구제 {#remedies}\n" +
                         rights +
                         "\n"
                         "## 문의 {#contact}\n개인정보팀, 전화 1577-0000.\n";
    out["push.ko.yaml"] = "title: 개인정보 유출 재통지\nbody: " + sentence + "\n";
    out["sms.ko.txt"] = sentence + "{{#code}} 비밀번호를 바꾸세요.{{/code}}\n";
    std::vector<std::string> ids;
    for (const auto& p : check(out).problems) {
        ids.push_back(p.id);
    }
    return ids;
}

constexpr auto by_name = "손해배상과 법정손해배상을 청구하고 분쟁조정을 신청할 수 있습니다.";

} // namespace

TEST(Rules, AFollowUpMaySayInItsOwnWordsThatItIsNoNewIncident) {
    for (const char* sentence : {"이 안내는 새로운 유출 사고에 대한 것이 아니라 지난 유출을 다시 알려 드리는 것입니다.",
                                 "새로운 유출이 아닙니다. 지난 유출을 다시 알려 드립니다.", "추가 유출은 없습니다.",
                                 "이번 유출 안내는 또 다른 사고에 관한 것이 아닙니다."}) {
        EXPECT_THAT(korean(sentence, by_name), Not(Contains("KR-W3"))) << sentence;
    }
    EXPECT_THAT(korean("개인정보가 유출되었습니다.", by_name), Contains("KR-W3"));
    EXPECT_THAT(korean("새로운 유출입니다. 사실이 아니길 바랍니다.", by_name), Contains("KR-W3"))
        << "the second sentence is about something else";
}

TEST(Rules, ARightMayBeNamedByItsArticle) {
    const auto sentence = "추가 유출은 없습니다.";
    for (const char* rights :
         {by_name, "개인정보 보호법 제39조에 따른 배상, 제39조의2에 따른 배상, 제43조의 조정을 신청할 수 있습니다.",
          "손해배상 또는 제39조의2에 따라 300만 원 이하의 배상을 청구하고 분쟁조정을 신청할 수 있습니다."}) {
        EXPECT_THAT(korean(sentence, rights), Not(Contains("KR-6"))) << rights;
    }
    EXPECT_THAT(korean(sentence, "손해배상을 청구하고 분쟁조정을 신청할 수 있습니다."), Contains("KR-6"));
    EXPECT_THAT(korean(sentence, "제39조의2에 따른 배상과 분쟁조정."), Contains("KR-6")) << "Art. 39-2 is not Art. 39";
}

TEST(Rules, APatternMayLeaveAGapInOneSentence) {
    EXPECT_EQ(find_pattern("it is not about any new incident", "not * new incident"), 6U);
    EXPECT_EQ(find_pattern("certainly not. a new incident", "not * new incident"), std::string_view::npos);
    EXPECT_EQ(find_pattern("not here\nnew incident", "not * new incident"), 0U) << "a line may end in a sentence";
    EXPECT_EQ(find_pattern("not\n\nnew incident", "not * new incident"), std::string_view::npos);
    EXPECT_EQ(find_pattern("plain text", "text"), 6U);
    EXPECT_EQ(find_pattern("", "a * b"), std::string_view::npos);
    EXPECT_EQ(find_pattern("not" + std::string(1'000, 'x') + "new incident", "not * new incident"),
              std::string_view::npos);
}

TEST(Rules, EveryPackReadsAndSaysWhereItIsFrom) {
    ASSERT_EQ(rule_files().size(), 8U);
    for (const auto file : rule_files()) {
        EXPECT_THAT(std::string{file}, HasSubstr("source:"));
        EXPECT_THAT(std::string{file}, HasSubstr("date: 20"));
    }
    EXPECT_TRUE(built_in_rules().say.contains("KR-W3"));
    EXPECT_TRUE(built_in_rules().say.contains("KR-6"));
    EXPECT_FALSE(built_in_rules().instead.empty());
    word_rules none;
    EXPECT_THROW(add_rules(none, "avoid: []"), std::runtime_error);
    EXPECT_THROW(add_rules(none, "{source: a, date: b, avoid: [{id: X}]}"), std::runtime_error);
}
