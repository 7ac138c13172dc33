// A new key-encryption key: campaigns are wrapped anew under it, and nobody notices.

#include "support.hpp"

#include <crypto/keys.hpp>

namespace semel::api::test {
namespace {

constexpr auto rows = "recipient_id,email\n4711,kim@example.com\n";

struct Keys : Api {
    fs::path old, young;

    void SetUp() override {
        Api::SetUp();
        old = folder / "old";
        young = folder / "young";
        for (const auto& file : {old, young}) {
            ASSERT_TRUE(crypto::make_key_file(file));
        }
        ASSERT_TRUE(kek.reload({old}));
    }
    static std::string hex(const crypto::key_id& id) { return base::to_hex(base::as_view(id)); }
};

TEST_F(Keys, AreRotatedWhileCampaignsLive) {
    const auto id = create();
    const auto other = create();
    const base::campaign_id whose{id};
    const auto before = campaign(id);
    const auto key = kek.unwrap(before.wrapped_key(), whose).value();
    EXPECT_EQ(post("operator", "/v1/keys/rotate").number("wrapped_anew"), 0) << "there is one key";

    ASSERT_TRUE(kek.reload({young, old}));
    auto list = get("auditor", "/v1/keys").object().at("keys").as_array();
    EXPECT_EQ(list.at(0).at("state").as_string(), "writes");
    EXPECT_EQ(list.at(1).at("campaigns").as_int64(), 2);
    const auto done = post("operator", "/v1/keys/rotate");
    EXPECT_EQ(done.status, 200U) << done.body;
    EXPECT_EQ(done.number("wrapped_anew"), 2);
    EXPECT_EQ(done.object().at("keys").as_array().at(0).at("campaigns").as_int64(), 2);

    const auto after = campaign(id);
    EXPECT_EQ(after.version(), before.version() + 1) << "a new state, which the others hear of";
    EXPECT_EQ(kek.unwrap(after.wrapped_key(), whose).value().bytes().view(), key.bytes().view());
    EXPECT_TRUE(std::ranges::any_of(outbox_of(wire::control), [&](const auto& row) { return same(after, row.value); }));
    EXPECT_EQ(post("operator", "/v1/keys/rotate").number("wrapped_anew"), 0) << "once is enough";

    // The old key is gone from the disk: everything of these campaigns opens all the same.
    ASSERT_TRUE(crypto::retire_key_file(old));
    ASSERT_TRUE(kek.reload({young, old}));
    EXPECT_EQ(get("auditor", "/v1/keys").object().at("keys").as_array().at(1).at("state").as_string(), "retired");
    EXPECT_EQ(upload(id, rows).status, 202U);
    EXPECT_EQ(upload(other, rows).status, 202U);
}

TEST_F(Keys, ACampaignThatNoKeyOpensIsNamedAndHoldsNoOtherUp) {
    const auto lost = create();
    ASSERT_TRUE(kek.reload({young}));
    const auto good = create();
    const auto third = folder / "third";
    ASSERT_TRUE(crypto::make_key_file(third));
    ASSERT_TRUE(kek.reload({third, young}));
    const auto done = post("operator", "/v1/keys/rotate");
    EXPECT_EQ(done.number("wrapped_anew"), 1);
    ASSERT_EQ(done.object().at("failed").as_array().size(), 1U);
    EXPECT_EQ(done.object().at("failed").as_array().at(0).at("campaign").as_string(), lost);
    EXPECT_EQ(done.number("campaigns_under_other_keys"), 1);
    EXPECT_EQ(upload(good, rows).status, 202U);
}

} // namespace
} // namespace semel::api::test
