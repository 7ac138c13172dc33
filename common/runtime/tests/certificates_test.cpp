#include <runtime/certificates.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <support/certificates.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace semel::runtime {
namespace {

using namespace std::chrono_literals;
using content = certificate_file::content;
using testing::ElementsAre;
using testing::Field;

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

struct Certificates : testing::Test {
    support::certificates made;

    std::string good_for(int days) {
        const auto file = made.folder() / "one.pem";
        const auto command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days " +
                             std::to_string(days) + " -keyout /dev/null -out '" + file.string() + "' 2> /dev/null";
        EXPECT_EQ(std::system(command.c_str()), 0); // NOLINT
        return text_of(file);
    }
    static double days_left(std::optional<base::timestamp> until) {
        return until ? std::chrono::duration<double>(*until - base::now()).count() / 86'400 : -1;
    }
};

TEST_F(Certificates, AreGoodUntilTheFirstOfAChainAndTheLastOfABundleIsNot) {
    const auto both = good_for(100) + "some words between\n" + good_for(10);
    EXPECT_NEAR(days_left(good_until(both, content::ours)), 10, 0.1);
    EXPECT_NEAR(days_left(good_until(both, content::authorities)), 100, 0.1);
}

TEST_F(Certificates, AreNotWhereThereIsNone) {
    EXPECT_EQ(good_until("", content::ours), std::nullopt);
    EXPECT_EQ(good_until(text_of(made.server_key()), content::ours), std::nullopt);
    EXPECT_EQ(good_until("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", content::ours),
              std::nullopt);
}

TEST_F(Certificates, LeaveNoErrorForTheNextConnectionOfTheThread) {
    EXPECT_TRUE(good_until(text_of(made.server()), content::ours));
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(Certificates, AreFoundByTheirKeysInTheSettings) {
    config::settings s;
    s.api_tls.certificate = made.server();
    s.verify.emplace().certificate = made.server();
    s.redis_security.ca = made.ca();
    config::smpp centre;
    centre.ca = made.ca();
    s.sms.push_back({.name = "smsc-a", .limit = {}, .domains = {}, .link = centre});
    s.push.push_back({.name = "fcm", .limit = {}, .domains = {}, .link = config::fcm{}});
    EXPECT_THAT(certificate_files(s), ElementsAre(Field(&certificate_file::key, "api.tls.certificate"),
                                                  Field(&certificate_file::key, "redis.ca"),
                                                  Field(&certificate_file::key, "verify.certificate"),
                                                  Field(&certificate_file::key, "gateways.sms[0].smpp.ca")));
}

} // namespace
} // namespace semel::runtime
