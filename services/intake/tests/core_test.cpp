#include <crypto/keys.hpp>
#include <wire/sealed.hpp>

#include <gtest/gtest.h>
#include <intake/core/chunker.hpp>
#include <intake/core/order.hpp>
#include <intake/core/span_proof.hpp>

using namespace semel;

namespace {

const base::campaign_id campaign{"c-test"};
const auto kek = crypto::key_ring::random();
const auto key = crypto::campaign_key::random();

v1::ImportOrder an_order() {
    v1::ImportOrder order;
    order.set_campaign_id(campaign.value());
    order.set_upload(1);
    order.set_format("csv");
    order.set_wrapped_key(kek.wrap(key, campaign));
    order.set_default_region("KR");
    order.set_default_locale("ko");
    order.add_locales("ko");
    order.add_locales("en");
    order.add_segment_names("entrance_code");
    return order;
}

bool refused(const v1::ImportOrder& order, std::string_view why) {
    const auto read = intake::read_order(order, kek);
    return !read && read.error().why().find(why) != std::string::npos;
}

void add_row(intake::chunker& chunks, std::uint64_t row, std::size_t bytes = 10) {
    auto& slot = chunks.slot();
    slot.set_row(row);
    slot.set_name(std::string(bytes, 'x'));
    chunks.keep();
}

v1::AudienceRecord chunk(std::uint64_t number, std::uint32_t count, std::uint32_t upload = 1) {
    v1::AudienceRecord record;
    record.set_campaign_id(campaign.value());
    record.set_upload(upload);
    record.set_chunk(number);
    record.set_count(count);
    record.set_sealed("sealed " + std::to_string(number));
    return record;
}

} // namespace

TEST(Order, IsReadWithItsKeyAndTerms) {
    const auto read = intake::read_order(an_order(), kek);
    ASSERT_TRUE(read) << read.error().why();
    EXPECT_EQ(read->key.bytes().view(), key.bytes().view());
    EXPECT_EQ(read->terms.locale("EN-us"), "en");
    EXPECT_EQ(read->terms.locale(""), "ko");
    EXPECT_EQ(read->terms.segment_names.at(0), "entrance_code");
    EXPECT_FALSE(read->terms.follow_up);
}

TEST(Order, OfAFollowUpReadsTheColumnsThatTheApiWrote) {
    auto order = an_order();
    order.add_slot_names("order_count");
    order.set_follow_up(true);
    const auto read = intake::read_order(order, kek);
    ASSERT_TRUE(read) << read.error().why();
    EXPECT_TRUE(read->terms.follow_up);
    EXPECT_EQ(read->cut_after_row, 0U);
    EXPECT_EQ(read->terms.slot_names.size(), 3U);
    EXPECT_EQ(read->terms.slot_names.front(), "order_count");
}

TEST(Order, ThatCannotBeCarriedOutIsRefusedInWords) {
    auto order = an_order();
    order.set_campaign_id("../c");
    EXPECT_TRUE(refused(order, "no campaign"));
    order = an_order();
    order.set_upload(0);
    EXPECT_TRUE(refused(order, "no upload"));
    order = an_order();
    order.set_format("xlsx");
    EXPECT_TRUE(refused(order, "neither csv nor ndjson"));
    order = an_order();
    order.clear_wrapped_key();
    EXPECT_TRUE(refused(order, "destroyed"));
    order.set_wrapped_key(kek.wrap(key, base::campaign_id{"c-other"}));
    EXPECT_TRUE(refused(order, "key"));
    order = an_order();
    order.set_default_region("Korea");
    EXPECT_TRUE(refused(order, "ISO 3166"));
    order = an_order();
    order.set_file_digest("short");
    EXPECT_TRUE(refused(order, "SHA-256"));
}

TEST(Chunker, ClosesAChunkAtItsRowsOrItsBytes) {
    intake::chunker chunks{campaign, 1, 7};
    for (std::uint64_t row = 1; row <= 500; ++row) {
        ASSERT_FALSE(chunks.full());
        add_row(chunks, row);
    }
    ASSERT_TRUE(chunks.full());
    const auto record = chunks.take(key);
    EXPECT_EQ(record.chunk(), 7U);
    EXPECT_EQ(record.first_row(), 1U);
    EXPECT_EQ(record.count(), 500U);
    EXPECT_TRUE(chunks.empty());
    EXPECT_EQ(chunks.next_chunk(), 8U);

    add_row(chunks, 501, 200'000);
    EXPECT_FALSE(chunks.full());
    add_row(chunks, 502, 200'000);
    EXPECT_TRUE(chunks.full());
    const auto heavy = chunks.take(key);
    EXPECT_EQ(heavy.count(), 2U);
    EXPECT_LT(heavy.ByteSizeLong(), 1'000'000U);
}

TEST(Chunker, HoldsOnlyWhatWasKept) {
    intake::chunker chunks{campaign, 1, 0};
    add_row(chunks, 1);
    chunks.slot().set_name("dropped");
    chunks.drop();
    add_row(chunks, 3);
    const auto record = chunks.take(key);
    const auto opened = wire::open_chunk(key, record);
    ASSERT_TRUE(opened);
    ASSERT_EQ(opened->recipients_size(), 2);
    EXPECT_EQ(opened->recipients(1).row(), 3U);
    EXPECT_EQ(record.sealed().find("xxxx"), std::string::npos);
    auto moved = record;
    moved.set_chunk(1);
    EXPECT_FALSE(wire::open_chunk(key, moved));
}

TEST(SpanProof, GivesTheSpansOfAWholeWave) {
    intake::span_proof proof{campaign, 1, 2, 3, 1'100};
    EXPECT_TRUE(proof.take(0, 10, chunk(0, 500)));
    EXPECT_TRUE(proof.take(0, 11, chunk(99, 1, 2))); // another upload's
    EXPECT_TRUE(proof.take(1, 4, chunk(1, 500)));
    EXPECT_FALSE(proof.complete());
    EXPECT_TRUE(proof.take(0, 14, chunk(2, 100)));
    EXPECT_TRUE(proof.complete());
    const auto spans = proof.finish();
    ASSERT_TRUE(spans);
    ASSERT_EQ(spans->size(), 2U);
    EXPECT_EQ(spans->at(0).start_offset(), 10);
    EXPECT_EQ(spans->at(0).end_offset(), 15);
    EXPECT_EQ(spans->at(0).chunks(), 2U);
    EXPECT_EQ(spans->at(0).digest(), std::string{base::as_view(crypto::sha256("sealed 0sealed 2"))});
    EXPECT_EQ(spans->at(1).end_offset(), 5);
}

TEST(SpanProof, FindsAChunkTwiceMissingOrMisplaced) {
    intake::span_proof twice{campaign, 1, 2, 4, 4};
    EXPECT_TRUE(twice.take(0, 0, chunk(0, 1)));
    EXPECT_FALSE(twice.take(0, 1, chunk(0, 1)));
    intake::span_proof missing{campaign, 1, 2, 4, 4};
    EXPECT_TRUE(missing.take(0, 0, chunk(0, 1)));
    EXPECT_FALSE(missing.take(0, 1, chunk(4, 1)));
    intake::span_proof misplaced{campaign, 1, 2, 4, 4};
    EXPECT_FALSE(misplaced.take(1, 0, chunk(0, 1)));
    intake::span_proof unfinished{campaign, 1, 2, 4, 4};
    EXPECT_TRUE(unfinished.take(0, 0, chunk(0, 1)));
    EXPECT_FALSE(unfinished.finish());
    intake::span_proof fewer_rows{campaign, 1, 1, 1, 2};
    EXPECT_TRUE(fewer_rows.take(0, 0, chunk(0, 1)));
    EXPECT_FALSE(fewer_rows.finish());
}

TEST(SpanProof, AWaveOfRejectedRowsHasNoSpans) {
    intake::span_proof proof{campaign, 1, 2, 0, 0};
    EXPECT_TRUE(proof.complete());
    EXPECT_TRUE(proof.finish()->empty());
}
