#include <address_register/head.hpp>
#include <gtest/gtest.h>
#include <plan/core/packing.hpp>

#include <map>
#include <random>
#include <set>

using namespace semel;
using plan::layout;

namespace {

crypto::hash128 random_hash(std::mt19937_64& random) {
    crypto::hash128 hash{};
    for (auto& byte : hash) {
        byte = static_cast<std::uint8_t>(random());
    }
    return hash;
}

} // namespace

TEST(Packing, ABucketHoldsAtMost64OnAverage) {
    for (const std::uint64_t rows : {0ULL, 1ULL, 16ULL, 17ULL, 1'000ULL, 10'000'000ULL, 33'700'000ULL}) {
        const auto buckets = 1ULL << layout::of(rows, 3).bits();
        EXPECT_LE(rows * 4, buckets * 64) << rows;
        EXPECT_TRUE(buckets == 1 || rows * 4 > buckets * 32) << rows << ": fewer buckets would do";
    }
    EXPECT_EQ(layout::of(~0ULL / 8, 3).bits(), layout::max_bits);
}

TEST(Packing, NoBucketOutgrowsAListpackOfRedisDefaults) {
    std::mt19937_64 random{1};
    constexpr std::uint64_t rows = 50'000;
    const auto shape = layout::of(rows, 3);
    std::map<std::uint32_t, int> fields;
    int largest = 0;
    for (std::uint64_t i = 0; i < rows * 4; ++i) {
        largest = std::max(largest, ++fields[shape.bucket(random_hash(random))]);
    }
    EXPECT_LE(largest, 128);
}

TEST(Packing, BucketAndFieldTogetherKeepAll128Bits) {
    std::mt19937_64 random{2};
    for (const std::uint64_t rows : {1ULL, 5'000ULL, 40'000ULL, 1'000'000ULL, 300'000'000ULL}) {
        const auto shape = layout::of(rows, 3);
        const auto hash = random_hash(random);
        std::string original;
        shape.append(original, hash);
        EXPECT_EQ(original.size(), 6 + shape.field_bytes());
        for (std::size_t bit = 0; bit < 128; ++bit) {
            auto other = hash;
            other[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
            std::string item;
            shape.append(item, other);
            EXPECT_NE(item, original) << "bit " << bit << " of the key is lost with " << shape.bits() << " bucket bits";
        }
    }
}

TEST(Packing, ItemsAreBucketFieldRowSegments) {
    crypto::hash128 hash{};
    for (std::size_t i = 0; i < hash.size(); ++i) {
        hash[i] = static_cast<std::uint8_t>('A' + i);
    }
    const auto shape = layout::of(10'000, 3); // 625 buckets needed: 10 bits
    ASSERT_EQ(shape.bits(), 10U);
    std::string batch;
    shape.append(batch, hash, {258, 5});
    EXPECT_EQ(batch, std::string("000105BCDEFGHIJKLMNOP\0\0\1\2\0\0\0\5", 29))
        << "the first 10 bits of 'A','B' are 0x105";
    EXPECT_EQ(plan::bucket_key(base::campaign_id{"c-1"}, 2, shape.bucket(hash)), "{plan:c-1}:2:000105");
    EXPECT_EQ(address_register::head_key(base::campaign_id{"c-1"}), "{plan:c-1}:head");
}

TEST(Packing, AnswersAreReadBackOrRefused) {
    const std::string answer{"\0\0\1\2\0\0\0\5\0\0\0\0\0\0\0\0", 16};
    const auto entries = plan::parse_entries(answer, 2);
    ASSERT_TRUE(entries);
    EXPECT_EQ((*entries)[0], (plan::entry{258, 5}));
    EXPECT_EQ((*entries)[1], (plan::entry{}));
    EXPECT_FALSE(plan::parse_entries(answer, 3));
    EXPECT_FALSE(plan::parse_entries(answer.substr(1), 2));
}
