#include <base/bytes.hpp>
#include <crypto/derive.hpp>
#include <crypto/key_ring.hpp>
#include <crypto/keys.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace semel::crypto {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using authenticity = key_ring::authenticity;

std::string bytes(std::string_view hex) {
    return base::from_hex(hex).value();
}

struct Ring : ::testing::Test {
    fs::path folder = fs::temp_directory_path() / ("semel-ring-" + base::to_hex(random_bytes(8)));
    base::campaign_id mine{"c-mine"};

    Ring() { fs::create_directories(folder); }
    ~Ring() override { fs::remove_all(folder); }

    fs::path fresh(const std::string& name) const {
        const auto file = folder / name;
        EXPECT_TRUE(make_key_file(file));
        return file;
    }
    static std::string why(const base::result<key_ring>& r) { return r ? "" : r.error().why(); }
};

TEST(Derive, FollowsRfc5869) {
    const auto secret = bytes("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    EXPECT_EQ(
        base::to_hex(hkdf_sha256(secret, bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9")).view()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    EXPECT_EQ(base::to_hex(hkdf_sha256(secret, {}, {}).view()),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(CampaignKey, IsUsedForOnePurposeOnly) {
    const auto key = campaign_key::random();
    EXPECT_NE(key.sealing().view(), key.hashing().view());
    EXPECT_NE(key.sealing().view(), key.bytes().view());
    EXPECT_NE(key.hashing().view(), key.bytes().view());
}

TEST_F(Ring, ACampaignKeyOpensOnlyForItsCampaign) {
    const auto ring = key_ring::random();
    const auto key = campaign_key::random();
    const auto wrapped = ring.wrap(key, mine);
    EXPECT_EQ(ring.unwrap(wrapped, mine).value().sealing().view(), key.sealing().view());
    EXPECT_FALSE(ring.unwrap(wrapped, base::campaign_id{"c-other"}));
    EXPECT_FALSE(ring.unwrap("", mine));
    EXPECT_FALSE(key_ring::random().unwrap(wrapped, mine));
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
        auto bent = wrapped;
        bent[i] = static_cast<char>(bent[i] ^ 1);
        EXPECT_FALSE(ring.unwrap(bent, mine)) << "byte " << i;
        EXPECT_FALSE(ring.unwrap(wrapped.substr(0, i), mine)) << "cut at " << i;
    }
}

TEST_F(Ring, OpensWhatOlderVersionsWrapped) {
    const auto kek = key256::random();
    const auto key = key256::random();
    const auto wrapped = seal(kek, key.view(), "campaign-key|c-mine");
    const key_ring ring{{key256::random(), kek}};
    const auto opened = ring.unwrap(wrapped, mine);
    ASSERT_TRUE(opened) << opened.error().why();
    EXPECT_EQ(opened->sealing().view(), key.view()) << "what was sealed and hashed then is found again";
    EXPECT_EQ(opened->hashing().view(), key.view());
    EXPECT_FALSE(ring.is_current(wrapped));
    const auto again = ring.wrap(*opened, mine);
    EXPECT_TRUE(ring.is_current(again));
    EXPECT_EQ(ring.unwrap(again, mine).value().hashing().view(), key.view()) << "wrapped anew, it derives as before";
}

TEST_F(Ring, OneWritesAndAllOpen) {
    const auto old = fresh("old"), young = fresh("new");
    const auto before = key_ring::load({old}).value();
    const auto after = key_ring::load({young, old}).value();
    const auto key = campaign_key::random();
    const auto wrapped = before.wrap(key, mine);
    const auto mac = before.mac("control", {"k", "v"});
    EXPECT_TRUE(after.unwrap(wrapped, mine));
    EXPECT_EQ(after.verify("control", {"k", "v"}, mac), authenticity::genuine);
    EXPECT_FALSE(after.is_current(wrapped));
    EXPECT_FALSE(before.unwrap(after.wrap(key, mine), mine)) << "the new one writes";
    EXPECT_EQ(before.verify("control", {"k", "v"}, after.mac("control", {"k", "v"})), authenticity::unknown_key);
    EXPECT_EQ(after.keys().size(), 2U);
    EXPECT_EQ(after.writing(), key_ring::load({young}).value().writing());
}

TEST_F(Ring, AMacIsOfItsTopicAndItsFields) {
    const auto ring = key_ring::random();
    const auto mac = ring.mac("control", {"ab", "c"});
    EXPECT_EQ(ring.verify("control", {"ab", "c"}, mac), authenticity::genuine);
    EXPECT_EQ(ring.verify("events", {"ab", "c"}, mac), authenticity::forged) << "another topic's key";
    EXPECT_EQ(ring.verify("control", {"a", "bc"}, mac), authenticity::forged) << "lengths count";
    EXPECT_EQ(ring.verify("control", {"ab", "c", ""}, mac), authenticity::forged);
    EXPECT_EQ(ring.verify("control", {"ab", "c"}, ""), authenticity::forged);
    for (std::size_t i = 0; i < mac.size(); ++i) {
        auto bent = mac;
        bent[i] = static_cast<char>(bent[i] ^ 1);
        EXPECT_NE(ring.verify("control", {"ab", "c"}, bent), authenticity::genuine) << "byte " << i;
    }
}

TEST_F(Ring, ARetiredKeyTellsGenuineRecordsAndOpensNothing) {
    const auto old = fresh("old"), young = fresh("new");
    const auto ring = key_ring::load({old}).value();
    const auto wrapped = ring.wrap(campaign_key::random(), mine);
    const auto mac = ring.mac("events", {"k", "v"});
    const auto destinations = ring.destinations();
    std::string secret;
    std::ifstream{old} >> secret;
    ASSERT_TRUE(retire_key_file(old));
    std::string left;
    std::ifstream{old} >> left;
    EXPECT_EQ(left.find(secret), std::string::npos);

    const auto after = key_ring::load({young, old});
    ASSERT_TRUE(after) << after.error().why();
    EXPECT_EQ(after->verify("events", {"k", "v"}, mac), authenticity::genuine);
    EXPECT_EQ(after->destinations().key.view(), destinations.key.view());
    EXPECT_THAT(after->unwrap(wrapped, mine).error().why(), HasSubstr("is retired"));
    EXPECT_TRUE(after->keys().at(1).retired);
    EXPECT_THAT(why(key_ring::load({old, young})), HasSubstr("put another before it"));
    EXPECT_FALSE(retire_key_file(old));
}

TEST_F(Ring, IsReadAnewForAllWhoHoldIt) {
    const auto old = fresh("old"), young = fresh("new");
    const auto ring = key_ring::load({old}).value();
    const key_ring held = ring; // NOLINT(performance-unnecessary-copy-initialization) that is what is tested
    const auto version = held.version();
    ASSERT_TRUE(ring.reload({young, old}));
    EXPECT_EQ(held.keys().size(), 2U);
    EXPECT_NE(held.version(), version);
    EXPECT_FALSE(ring.reload({young, folder / "missing"}));
    EXPECT_EQ(held.keys().size(), 2U) << "what cannot be read changes nothing";
}

TEST_F(Ring, LooksAgainForAKeyThatItLacks) {
    const auto old = fresh("old"), young = fresh("new");
    const auto ahead = key_ring::load({young, old}).value();
    const auto behind = key_ring::load({old}).value();
    const auto mac = ahead.mac("control", {"k", "v"});
    int looked = 0;
    behind.look_again_with([&] {
        ++looked;
        EXPECT_TRUE(behind.reload({old, young}));
    });
    EXPECT_EQ(behind.verify("control", {"k", "v"}, mac), authenticity::genuine);
    EXPECT_EQ(behind.verify("control", {"k", "v"}, mac), authenticity::genuine);
    EXPECT_EQ(looked, 1);
}

TEST_F(Ring, FilesThatWillNotDoAreNamed) {
    const auto good = fresh("good");
    EXPECT_THAT(why(key_ring::load({})), HasSubstr("no key file is named"));
    EXPECT_THAT(why(key_ring::load({folder / "missing"})), HasSubstr("missing: no such key file"));
    EXPECT_THAT(why(key_ring::load({good, good})), HasSubstr("twice"));
    EXPECT_FALSE(make_key_file(good)) << "a key is never written over";
    const auto open = fresh("open");
    fs::permissions(open, fs::perms::owner_read | fs::perms::others_read);
    EXPECT_THAT(why(key_ring::load({open})), HasSubstr("chmod 600"));
    const auto wrong = fresh("wrong");
    std::ofstream{wrong} << "not a key\n";
    EXPECT_THAT(why(key_ring::load({wrong})), HasSubstr("64 hex characters"));
    EXPECT_EQ(fs::status(good).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(Keys, HashesOfDifferentKindsDiffer) {
    const auto key = campaign_key::random();
    EXPECT_NE(keyed_hash(key, "email", "x"), keyed_hash(key, "sms", "x"));
    EXPECT_EQ(keyed_hash(key, "email", "x"), keyed_hash(key, "email", "x"));
}

} // namespace
} // namespace semel::crypto
