#include <CLI/CLI.hpp>
#include <cli/usage/usage.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What a program with a few commands says to a command line; empty when it takes it.
std::string said_to(const std::string& line) {
    CLI::App program{"about", "semel"};
    program.require_subcommand(1);
    auto* campaign = program.add_subcommand("campaign", "");
    campaign->require_subcommand(1);
    auto* create = campaign->add_subcommand("create", "");
    std::string name;
    int rate = 0;
    create->add_option("--name", name)->required();
    create->add_option("--rate", rate)->check(CLI::Range(0, 10));
    campaign->add_subcommand("status", "");
    program.add_subcommand("up", "");
    program.add_subcommand("down", "");
    try {
        program.parse(line, false);
    } catch (const CLI::ParseError& e) {
        return explain_usage(program, e);
    }
    return {};
}

TEST(Usage, NamesTheCommandAndTheNearestWord) {
    EXPECT_THAT(said_to("campagin create --name x"),
                AllOf(HasSubstr("semel: there is no command \"campagin\"; did you mean campaign?"),
                      HasSubstr("`semel --help`")));
    EXPECT_THAT(said_to("campaign crate --name x"),
                AllOf(HasSubstr("semel campaign: there is no command \"crate\"; did you mean create?"),
                      HasSubstr("`semel campaign --help`")));
    EXPECT_THAT(said_to("campaign create --nmae x"),
                HasSubstr("semel campaign create: there is no option --nmae; did you mean --name?"));
    EXPECT_THAT(said_to("campaign create --name x --raet=3"), HasSubstr("no option --raet; did you mean --rate?"));
    EXPECT_THAT(said_to("dwon"), HasSubstr("did you mean down?"));
}

TEST(Usage, GuessesNothingWhereNothingIsNear) {
    EXPECT_THAT(said_to("frobnicate"),
                AllOf(HasSubstr("there is no command \"frobnicate\""), Not(HasSubstr("did you mean"))));
    EXPECT_THAT(said_to("campaign create --name x surplus"), HasSubstr("\"surplus\" is one word too many"));
    EXPECT_THAT(said_to("a\x1b[31mb"), Not(HasSubstr("\x1b")));
}

TEST(Usage, SaysWhatIsMissingOrOutOfRange) {
    EXPECT_THAT(said_to("campaign create"), AllOf(HasSubstr("semel campaign create: --name is required"),
                                                  HasSubstr("`semel campaign create --help`")));
    EXPECT_THAT(said_to("campaign create --name x --rate 11"), HasSubstr("semel campaign create: --rate"));
    EXPECT_THAT(said_to("campaign"), HasSubstr("semel campaign: say which command"));
}

TEST(Usage, WithoutACommandSaysHowToBegin) {
    EXPECT_THAT(said_to(""), HasSubstr("`semel up --sim`"));
    EXPECT_THAT(said_to("campaign"), Not(HasSubstr("semel up")));
    EXPECT_EQ(said_to("up"), "");
}

} // namespace
} // namespace semel::cli
