#include <cli/check/sender.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace semel::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

using zone = std::map<std::string, std::vector<std::string>>;

const expected_key our_key{
    .domain = "shop.example.com", .name = "s1._domainkey.shop.example.com", .record = "v=DKIM1; k=ed25519; p=QUJD"};
const sender_to_check our_sender{
    .from_domain = "shop.example.com", .return_path_domain = "bounce.shop.example.com", .keys = {our_key}};
const zone good{{"bounce.shop.example.com", {"v=spf1 ip4:192.0.2.1 -all"}},
                {"s1._domainkey.shop.example.com", {"v=DKIM1; k=ed25519; p=QUJD"}},
                {"_dmarc.shop.example.com", {"v=DMARC1; p=reject"}}};

std::vector<std::string> judged(const sender_to_check& sender, const zone& dns) {
    std::vector<std::string> out;
    for (const auto& f : judge_sender(sender, [&](const std::string& name) -> base::result<std::vector<std::string>> {
             const auto found = dns.find(name);
             return found == dns.end() ? std::vector<std::string>{} : found->second;
         })) {
        out.push_back(std::string{to_string(f.what)} + " " + f.about);
        EXPECT_EQ(f.mend.empty(), f.what == sender_finding::kind::good) << f.words;
    }
    return out;
}

zone with(const std::string& name, std::vector<std::string> records) {
    auto out = good;
    out[name] = std::move(records);
    return out;
}

} // namespace

TEST(Sender, OneThatIsSetUpIsGood) {
    EXPECT_THAT(judged(our_sender, good), ElementsAre("good SPF", "good DKIM", "good DMARC"));
}

TEST(Sender, EmptyDnsIsWrongThreeTimes) {
    EXPECT_THAT(judged(our_sender, {}), ElementsAre("wrong SPF", "wrong DKIM", "wrong DMARC"));
}

TEST(Sender, SpfIsOneRecordThatEnds) {
    const std::string name = "bounce.shop.example.com";
    for (const auto& [record, state] :
         {std::pair{"v=spf1 +all", "wrong SPF"},
          {"v=spf1 all", "wrong SPF"},
          {"v=spf1 ip4:192.0.2.1", "unsure SPF"},
          {"v=spf1 include:a include:b include:c include:d include:e include:f include:g include:h include:i mx a -all",
           "wrong SPF"},
          {"V=SPF1 mx ~all", "good SPF"},
          {"v=spf1 redirect=_spf.example.com", "good SPF"},
          {"v=spf1 - -all", "good SPF"}}) {
        EXPECT_EQ(judged(our_sender, with(name, {record})).front(), state) << record;
    }
    EXPECT_EQ(judged(our_sender, with(name, {"v=spf1 -all", "v=spf1 -all"})).front(), "wrong SPF");
    EXPECT_EQ(judged(our_sender, with(name, {"other text", "v=spf1 -all"})).front(), "good SPF");
}

TEST(Sender, AnotherKeyInDnsIsWrong) {
    const std::string name = "s1._domainkey.shop.example.com";
    EXPECT_THAT(judged(our_sender, with(name, {"v=DKIM1; p=T1RIRVI="})), Contains("wrong DKIM"));
    EXPECT_THAT(judged(our_sender, with(name, {"v=DKIM1; p="})), Contains("wrong DKIM")) << "revoked";
    EXPECT_THAT(judged(our_sender, with(name, {"k=ed25519; p= QU JD"})), Contains("good DKIM"));
    auto unsigned_sender = our_sender;
    unsigned_sender.keys.clear();
    EXPECT_THAT(judged(unsigned_sender, good), Contains("unsure DKIM"));
    auto foreign = our_sender;
    foreign.keys[0].domain = "other.example.net";
    EXPECT_THAT(judged(foreign, good), Contains("wrong DKIM"));
}

TEST(Sender, DmarcIsInheritedAndMustMeanSomething) {
    const std::string own = "_dmarc.shop.example.com";
    EXPECT_THAT(judged(our_sender, with(own, {"v=DMARC1; p=none"})), Contains("unsure DMARC"));
    EXPECT_THAT(judged(our_sender, with(own, {"v=DMARC1"})), Contains("wrong DMARC"));
    auto above = good;
    above.erase(own);
    above["_dmarc.example.com"] = {"v=DMARC1; p=reject; sp=none"};
    EXPECT_THAT(judged(our_sender, above), Contains("unsure DMARC"));
    auto far = our_sender; // neither the return path nor a signature is the sender's
    far.return_path_domain = "relay.example.net";
    far.keys.clear();
    auto dns = good;
    dns["relay.example.net"] = {"v=spf1 -all"};
    EXPECT_THAT(judged(far, dns), Contains("unsure DMARC"));
    EXPECT_THAT(judged(our_sender, with(own, {"v=DMARC1; p=reject; adkim=s; aspf=s"})),
                ElementsAre("good SPF", "good DKIM", "good DMARC"));
}

TEST(Sender, DnsThatIsSilentIsNotAnAnswer) {
    const auto all = judge_sender(our_sender, [](const std::string&) -> base::result<std::vector<std::string>> {
        return base::failed(base::fault::kind::unreachable, "DNS does not answer");
    });
    EXPECT_EQ(exit_code_of(all), 3);
    EXPECT_EQ(exit_code_of(judge_sender(our_sender, [](const std::string&) { return std::vector<std::string>{}; })), 1);
}

TEST(TxtAnswer, JoinsTheStringsOfARecord) {
    // id 1, response, one question and one answer: x TXT "ab" "c"
    using namespace std::string_literals;
    const auto packet = "\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
                        "\x01x\x00\x00\x10\x00\x01"
                        "\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x05\x02"
                        "ab\x01"
                        "c"s;
    EXPECT_THAT(txt_in(packet).value(), ElementsAre("abc"));
    for (std::size_t size = 0; size < packet.size(); ++size) { // hostile: cut anywhere
        EXPECT_FALSE(txt_in(packet.substr(0, size))) << size;
    }
    auto lying = packet;
    lying[lying.size() - 2] = '\x09'; // a string longer than its record
    EXPECT_FALSE(txt_in(lying));
}

} // namespace semel::cli
