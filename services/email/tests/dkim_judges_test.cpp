// What Semel signs, before three verifiers that are not ours (tests/peers/dkim): dkimpy, npm's mailauth and, for RSA,
// Perl's Mail::DKIM.
#include <notice/email_message.hpp>

#include <email/core/dkim.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace semel::email {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::StartsWith;

std::vector<std::string> lines_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> out{popen(command.c_str(), "r"), &pclose};
    std::vector<std::string> lines;
    std::array<char, 512> line{};
    while (out && std::fgets(line.data(), line.size(), out.get()) != nullptr) {
        std::string one{line.data()};
        lines.push_back(one.substr(0, one.find('\n')));
    }
    return lines;
}

class DkimJudges : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::remove_all(dir);
        fs::create_directories(dir);
        run("openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out " + (dir / "rsa.pem").string());
        run("openssl genpkey -algorithm ed25519 -out " + (dir / "ed.pem").string());
        signers.push_back(dkim_signer::from_file("garam.example.com", "rsa", dir / "rsa.pem").value());
        signers.push_back(dkim_signer::from_file("garam.example.com", "ed", dir / "ed.pem").value());
        std::ofstream dns{dir / "dns.json"};
        dns << "{\"" << signers[0].record_name() << "\":\"" << signers[0].record().value() << "\",\""
            << signers[1].record_name() << "\":\"" << signers[1].record().value() << "\"}";
    }
    void TearDown() override { fs::remove_all(dir); }

    static void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

    void write(const std::string& message) const { std::ofstream{dir / "message.eml", std::ios::binary} << message; }
    std::vector<std::string> dkimpy() const {
        return lines_of("/usr/bin/python3 tests/peers/dkim/verify.py " + dir.string());
    }
    std::vector<std::string> mailauth() const { return lines_of("node tests/peers/dkim/verify.js " + dir.string()); }
    std::vector<std::string> mail_dkim() const { return lines_of("perl tests/peers/dkim/verify.pl " + dir.string()); }

    fs::path dir = fs::path{::testing::TempDir()} / "semel_dkim_judges";
    std::vector<dkim_signer> signers;
};

/// As a dispatcher sends it: encoded words, folds, base64 bodies.
std::string a_message() {
    return notice::assemble(
               {.from_name = "가람마켓",
                .from_address = "notice@garam.example.com",
                .to = "kim@example.org",
                .subject = "개인정보 유출 안내 (재안내): 새로운 유출이 아니라 지난 사고를 다시 알려 드립니다",
                .date = "Wed, 18 Nov 2026 11:06:40 +0000",
                .message_id = "<00ff@garam.example.com>",
                .language = "ko",
                .boundary = "semel_00",
                .text = "안녕하세요.\r\n. 점으로 시작하는 줄\r\n",
                .html = "<p>안녕하세요.</p>"})
        .value();
}

} // namespace

TEST_F(DkimJudges, BothSignaturesPass) {
    write(signed_by(signers, a_message()).value());
    EXPECT_THAT(dkimpy(), ElementsAre("pass", "pass"));
    EXPECT_THAT(mailauth(), ElementsAre("pass", "pass"));
    EXPECT_THAT(mail_dkim(), ElementsAre("pass"));
}

TEST_F(DkimJudges, BlanksThatARelayChangesDoNotMatter) {
    auto message = signed_by(signers, a_message()).value();
    message.replace(message.find("To: <"), 5, "To:   <");
    write(message + "\r\n\r\n");
    EXPECT_THAT(dkimpy(), ElementsAre("pass", "pass"));
    EXPECT_THAT(mailauth(), ElementsAre("pass", "pass"));
    EXPECT_THAT(mail_dkim(), ElementsAre("pass"));
}

TEST_F(DkimJudges, AnotherRecipientSubjectBodyOrASecondFromFails) {
    const auto signed_message = signed_by(signers, a_message()).value();
    for (const auto& [from, to] : {std::pair{"kim@example.org", "lee@example.org"}, std::pair{"Date: Wed", "Date: Thu"},
                                   std::pair{"\r\nTo: ", "\r\nFrom: <evil@example.net>\r\nTo: "}}) {
        auto message = signed_message;
        ASSERT_NE(message.find(from), message.npos) << from;
        message.replace(message.find(from), std::string_view{from}.size(), to);
        write(message);
        EXPECT_THAT(dkimpy(), Each(StartsWith("fail"))) << to;
        EXPECT_THAT(mailauth(), Each(StartsWith("fail"))) << to;
        EXPECT_THAT(mail_dkim(), Each(StartsWith("fail"))) << to;
    }
}

} // namespace semel::email
