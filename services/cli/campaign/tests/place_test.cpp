#include <cli/campaign/place.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace semel::cli::campaign {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Place : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "semel-place-XXXXXX").string();
        dir = ::mkdtemp(name.data());
        fs::create_directories(dir / "config" / "tokens");
        std::ofstream{dir / "config" / "semel.yaml"} << "api: {address: \"127.0.0.1:28080\"}\n";
        write_token("operator", "local-operator");
        write_token("approver", "local-approver");
    }
    void TearDown() override { fs::remove_all(dir); }

    void write_token(const std::string& user, const std::string& token, unsigned mode = 0600) const {
        const auto file = dir / "config" / "tokens" / user;
        std::ofstream{file} << token << '\n';
        fs::permissions(file, static_cast<fs::perms>(mode));
    }
    place local(std::optional<std::string> as = {}) const { return {.dir = dir, .as = std::move(as)}; }

    fs::path dir;
};

environment elsewhere() {
    return {.api = "https://semel.example.com", .token = "remote", .token_file = {}, .ca = {}};
}

TEST_F(Place, IsTheLocalStackOfTheFolder) {
    const auto found = find_account(local(), {});
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->base, "http://127.0.0.1:28080");
    EXPECT_EQ(found->token, "local-operator");
    EXPECT_EQ(find_account(local("approver"), {}).value().token, "local-approver");
}

TEST_F(Place, TrustsTheAuthorityThatTheSettingsName) {
    std::ofstream{dir / "config" / "semel.yaml"}
        << "api: {address: \"0.0.0.0:28080\", tls: {certificate: api.pem, key_file: api.key, ca: ca.pem}}\n";
    auto found = find_account(local(), {});
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->base, "https://127.0.0.1:28080");
    EXPECT_EQ(found->ca, dir / "config" / "ca.pem");
    std::ofstream{dir / "config" / "semel.yaml"} << "api: {address: \"0.0.0.0:28080\", tls: {certificate: api.pem, "
                                                    "key_file: api.key, server_name: semel.example.com}}\n";
    found = find_account(local(), {.api = {}, .token = {}, .token_file = {}, .ca = "/etc/other.pem"});
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->base, "https://semel.example.com:28080");
    EXPECT_EQ(found->ca, "/etc/other.pem");
}

TEST_F(Place, RefusesATokenThatOthersMayRead) {
    write_token("operator", "local-operator", 0640);
    const auto found = find_account(local(), {});
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().why(), HasSubstr("0640"));
    EXPECT_THAT(found.error().why(), HasSubstr("chmod 600"));
    EXPECT_THAT(found.error().why(), testing::Not(HasSubstr("local-operator")));
}

TEST_F(Place, IsElsewhereWhenTheEnvironmentSaysSo) {
    const auto found = find_account({}, elsewhere());
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->base, "https://semel.example.com");
    EXPECT_EQ(found->token, "remote");
}

TEST_F(Place, OptionsGoBeforeTheEnvironment) {
    const auto found = find_account(local("approver"), elsewhere());
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->base, "http://127.0.0.1:28080");
    EXPECT_EQ(found->token, "local-approver");
}

TEST_F(Place, TakesTheTokenFromAFileOfTheEnvironment) {
    write_token("mine", "from-a-file");
    const auto file = (dir / "config" / "tokens" / "mine").string();
    const auto found =
        find_account({}, {.api = "https://semel.example.com", .token = {}, .token_file = file, .ca = {}});
    ASSERT_TRUE(found) << found.error().why();
    EXPECT_EQ(found->token, "from-a-file");
    write_token("mine", "from-a-file", 0644);
    EXPECT_FALSE(find_account({}, {.api = "https://semel.example.com", .token = {}, .token_file = file, .ca = {}}));
}

// The local operator's token is for this machine: nobody sends it elsewhere by forgetting a variable.
TEST_F(Place, SendsNoLocalTokenElsewhereByItself) {
    const auto found = find_account({}, {.api = "https://semel.example.com", .token = {}, .token_file = {}, .ca = {}});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().what(), base::fault::kind::malformed);
    EXPECT_THAT(found.error().why(), HasSubstr("SEMEL_TOKEN"));
}

TEST_F(Place, ShowsNoTokenToTheNetwork) {
    const auto found = find_account({}, {.api = "http://semel.example.com", .token = "t", .token_file = {}, .ca = {}});
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().why(), HasSubstr("https://"));
    EXPECT_TRUE(find_account({}, {.api = "http://127.0.0.1:18080", .token = "t", .token_file = {}, .ca = {}}));
}

TEST_F(Place, SaysHowToStartAStackThatIsNotThere) {
    const auto found = find_account({.dir = dir / "nowhere", .as = {}}, {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().what(), base::fault::kind::unreachable);
    EXPECT_THAT(found.error().why(), HasSubstr("semel up"));
}

} // namespace
} // namespace semel::cli::campaign
