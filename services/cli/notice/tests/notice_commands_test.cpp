#include <CLI/CLI.hpp>
#include <cli/notice/notice_commands.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace semel::cli;

namespace {

struct ran {
    int code;
    std::string out, err;
};
template <class Command>
ran run_it(const Command& command) {
    std::ostringstream out, err;
    const int code = run(command, out, err);
    return {code, out.str(), err.str()};
}

notice_preview an_email_preview() {
    return {.folder = "notices/follow-up",
            .channel = "email",
            .locale = "ko-KR",
            .segments = {},
            .slots = {},
            .supplement = false,
            .out_folder = {},
            .json = false};
}

} // namespace

TEST(NoticeCheck, TheExampleIsReadyToSend) {
    const auto r = run_it(notice_check{.folder = "notices/follow-up", .json = false});
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(r.out, "ready to send: 2 locales, 3 channels, 18 artifacts, 0 warnings\n");
}

TEST(NoticeCheck, ABrokenFolderExitsOneWithFileLineAndMend) {
    const auto r = run_it(notice_check{.folder = "common/notice/tests/data/broken", .json = false});
    EXPECT_EQ(r.code, 1);
    EXPECT_NE(r.out.find("common/notice/tests/data/broken/email.ko.md:3: "), std::string::npos) << r.out;
    EXPECT_NE(r.out.find(" Mend: "), std::string::npos);
}

TEST(NoticeCheck, AMissingFolderSaysWhatToGive) {
    const auto r = run_it(notice_check{.folder = "no/such/folder", .json = false});
    EXPECT_EQ(r.code, 1);
    EXPECT_NE(r.err.find("no/such/folder"), std::string::npos);
}

TEST(NoticeCheck, JsonIsOneDocument) {
    const auto r = run_it(notice_check{.folder = "notices/follow-up", .json = true});
    EXPECT_TRUE(r.out.starts_with(R"({"ok":true,"digest":")")) << r.out;
    EXPECT_TRUE(
        r.out.ends_with(R"("locales":["en","ko"],"channels":["email","push","sms"],"segments":["entrance_code"],)"
                        R"("artifacts":18,"problems":[]})"
                        "\n"))
        << r.out;
}

// "Not triggered" is an answer of its own, beside "ready".
TEST(NoticeCheck, APackThatAsksNothingSaysSo) {
    const auto folder = std::filesystem::path{testing::TempDir()} / "notice_not_triggered";
    std::filesystem::remove_all(folder);
    std::filesystem::copy("notices/follow-up", folder);
    std::ifstream in{folder / "notice.yaml"};
    std::stringstream text;
    text << in.rdbuf();
    auto yaml = text.str();
    yaml.replace(yaml.find("[KR-PIPA, EU-GDPR]"), 18, "[KR-PIPA, US-CA]  ");
    std::ofstream{folder / "notice.yaml"} << yaml;
    const auto r = run_it(notice_check{.folder = folder.string(), .json = false});
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_TRUE(r.out.starts_with("US-CA (California Civil Code): not triggered: ")) << r.out;
    EXPECT_NE(run_it(notice_check{.folder = folder.string(), .json = true})
                  .out.find(R"({"pack":"US-CA","law":"California Civil Code","answer":"not triggered","why":")"),
              std::string::npos);
}

TEST(NoticePreview, ShowsTheSegmentsAdviceOnlyToThoseInIt) {
    auto command = an_email_preview();
    EXPECT_EQ(run_it(command).out.find("출입번호를 저장하셨습니다"), std::string::npos);
    command.segments = {"entrance_code"};
    EXPECT_NE(run_it(command).out.find("출입번호를 저장하셨습니다"), std::string::npos);
}

TEST(NoticePreview, FollowsTheFallbackOfALocale) {
    auto command = an_email_preview();
    command.locale = "ja-JP";
    EXPECT_NE(run_it(command).out.find("Dear customer,"), std::string::npos);
}

TEST(NoticePreview, WritesTheExactBytes) {
    auto command = an_email_preview();
    command.out_folder = testing::TempDir() + "semel-preview";
    std::filesystem::remove_all(command.out_folder);
    ASSERT_EQ(run_it(command).code, 0);
    std::ifstream in{command.out_folder + "/message.eml", std::ios::binary};
    std::string first;
    std::getline(in, first);
    EXPECT_TRUE(first.starts_with("From: ") && first.ends_with("\r")) << first;
    EXPECT_TRUE(std::filesystem::exists(command.out_folder + "/message.html"));
}

TEST(NoticePreview, AnUnknownSegmentIsWrongUsage) {
    auto command = an_email_preview();
    command.segments = {"door"};
    EXPECT_EQ(run_it(command).code, 2);
    command.segments = {};
    command.supplement = true;
    EXPECT_EQ(run_it(command).code, 2);
}

TEST(NoticeCommands, ParseAsTheContractSays) {
    CLI::App program;
    int code = 7;
    add_notice_commands(program, code);
    testing::internal::CaptureStdout();
    program.parse("notice preview notices/follow-up --channel sms --locale en --segment entrance_code --slot name=Kim");
    EXPECT_NE(testing::internal::GetCapturedStdout().find("entrance code that you saved"), std::string::npos);
    EXPECT_EQ(code, 0);
    EXPECT_THROW(program.parse("notice preview notices/follow-up --channel fax --locale en"), CLI::ParseError);
}
