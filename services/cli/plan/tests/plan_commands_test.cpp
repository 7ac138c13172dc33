#include <http/json.hpp>

#include <CLI/CLI.hpp>
#include <cli/plan/plan_commands.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace semel::cli::plan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const auto now = base::from_us(1'790'000'000'000'000); // 2026-09-21T14:13:20Z

struct ran {
    int code;
    std::string out, err;
    json::object all() const { return json::read(out).value_or(nullptr).as_object(); }
};

ran run_it(const what_if& how, const std::string& people = {}) {
    std::istringstream in{people};
    std::ostringstream out, err;
    const int code = run(how, now, in, out, err);
    return {code, out.str(), err.str()};
}

const std::string people = "recipient_id,email,phone,push,segments\n"
                           "kim,kim@a.example,010-1234-5678,fcm:Tok1,vip\n"
                           "lee,kim@a.example,,,vip;other\n"
                           "lee,lee@b.example,,,\n"
                           ",nobody@a.example,,,\n"
                           "park,not-an-address,010-9999-0000,apns:" +
                           std::string(64, 'a') + ",\n";

what_if from_stdin(std::vector<std::string> rates) {
    what_if how;
    how.file = "-";
    how.rates = std::move(rates);
    how.json = true;
    return how;
}

fs::path written(const std::string& name, const std::string& text) {
    const auto file = fs::path{testing::TempDir()} / name;
    std::ofstream{file} << text;
    return file;
}

TEST(WhatIf, CountsAsTheImportDoes) {
    const auto r = run_it(from_stdin({"email=300", "push=500", "sms=40"}), people);
    ASSERT_EQ(r.code, 0) << r.err;
    const auto all = r.all();
    EXPECT_EQ(all.at("rows"), 5);
    EXPECT_EQ(all.at("rejected"), 1);
    EXPECT_EQ(all.at("repeated"), 1);
    EXPECT_EQ(all.at("addresses_left_out"), 1);
    EXPECT_EQ(all.at("channels").at("email").at("addresses"), 3);
    EXPECT_EQ(all.at("channels").at("email").at("messages"), 2) << "kim's address is lee's as well";
    EXPECT_EQ(all.at("channels").at("push").at("messages"), 2);
    EXPECT_EQ(all.at("channels").at("sms").at("messages"), 2) << "segments of a notice that nobody named reject no row";
}

TEST(WhatIf, ShowsNobody) {
    for (const bool as_json : {true, false}) {
        auto how = from_stdin({"email=300"});
        how.json = as_json;
        const auto r = run_it(how, people);
        for (const auto* of_somebody : {"kim", "lee", "park", "example", "1234", "Tok1", "vip"}) {
            EXPECT_THAT(r.out + r.err, Not(HasSubstr(of_somebody)));
        }
    }
}

TEST(WhatIf, TooLateExitsOneAndSaysWhatWouldDo) {
    auto how = from_stdin({"email=1/m", "push=500", "sms=40"});
    how.deadline = "2026-09-21T14:13:30Z";
    how.json = false;
    const auto r = run_it(how, people);
    EXPECT_EQ(r.code, 1);
    EXPECT_THAT(r.out, HasSubstr("email: at 60/h it is late; 0.2/s would do"));
    how.rates = {"email=1", "push=1", "sms=1"};
    EXPECT_EQ(run_it(how, people).code, 0);
    how.rates = {"email=1"};
    EXPECT_EQ(run_it(how, people).code, 1) << "with a deadline, what nobody can say is not good";
}

TEST(WhatIf, TheGatewaysOfSemelYamlAddUp) {
    const auto yaml = written("what_if.yaml", R"(
gateways:
  email:
    - {name: a, rate: 3/s, domains: {"a.example": 1/m}, smtp: {host: 127.0.0.1, tls: none}}
    - {name: b, rate: 2/s, domains: {"a.example": 1/m}, smtp: {host: 127.0.0.1, tls: none}}
  sms:
    - {name: s, smpp: {host: 127.0.0.1, system_id: s, password_file: p, source_address: "1"}}
)");
    auto how = from_stdin({});
    how.config = yaml.string();
    auto all = run_it(how, people).all();
    EXPECT_EQ(all.at("channels").at("email").at("narrowest"), "a.example");
    EXPECT_EQ(all.at("channels").at("email").at("takes_s"), 30) << "one message at two a minute";
    EXPECT_TRUE(all.at("channels").at("sms").at("rate_per_s").is_null()) << "a gateway without a rate";
    how.rates = {"email=1", "sms=2"};
    all = run_it(how, people).all();
    EXPECT_TRUE(all.at("channels").at("email").at("narrowest").is_null()) << "what is said is all that holds";
    EXPECT_EQ(all.at("channels").at("sms").at("takes_s"), 1);
}

TEST(WhatIf, ANoticeSaysItsSegmentsPartsAndDeadline) {
    auto how = from_stdin({"email=1", "push=1", "sms=1"});
    how.notice = "notices/follow-up";
    const auto unknown = run_it(how, people);
    EXPECT_EQ(unknown.all().at("rejected"), 3) << "it has no segment vip: " << unknown.err;
    const std::string fits = "recipient_id,phone,segments\nkim,010-1234-5678,entrance_code\n";
    const auto all = run_it(how, fits).all();
    EXPECT_GE(all.at("channels").at("sms").at("submissions").as_int64(), 1);
    EXPECT_EQ(all.at("channels").at("sms").at("messages"), 1);
}

TEST(WhatIf, AFileThatTheImportRefusesIsRefusedInItsWords) {
    const auto r = run_it(from_stdin({"email=1"}), "recipient_id,shoe_size\nkim,270\n");
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, HasSubstr("-: "));
    auto none = from_stdin({});
    none.file = "/no/such/file";
    EXPECT_THAT(run_it(none).err, HasSubstr("cannot read /no/such/file"));
}

TEST(WhatIf, RatesAreByChannel) {
    const auto read = rates_from({"email=300", "sms=600/m"});
    ASSERT_TRUE(read);
    EXPECT_DOUBLE_EQ(read->at({base::channel::email, ""}), 300);
    EXPECT_DOUBLE_EQ(read->at({base::channel::sms, ""}), 10);
    for (const auto* wrong : {"email", "fax=1", "email=", "email=-1", "email=0", "=5", "email=1/x"}) {
        EXPECT_FALSE(rates_from({wrong})) << wrong;
    }
}

TEST(WhatIf, WrongUsageIsNamed) {
    CLI::App program{"", "semel"};
    int code = 0;
    add_plan_commands(program, code);
    EXPECT_THROW(program.parse("plan what-if people.csv --rates fax=1"), CLI::ParseError);
    EXPECT_THROW(program.parse("plan what-if people.csv --deadline tomorrow"), CLI::ParseError);
    EXPECT_THROW(program.parse("plan what-if"), CLI::ParseError);
}

} // namespace
} // namespace semel::cli::plan
