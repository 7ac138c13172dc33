#include "pieces.hpp"

#include <audience/decoder.hpp>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

using namespace semel;
using audience::testing::pieces;

namespace {

std::string gzipped(std::string_view plain) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&z, plain.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

std::string zstded(std::string_view plain) {
    std::string out(ZSTD_compressBound(plain.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
    return out;
}

/// The decoded bytes, or "fault: ...".
std::string decoded(std::string encoded, std::size_t piece = 1'000, std::uint64_t most = audience::limits{}.decoded) {
    audience::decoder decoder{pieces(std::move(encoded), piece), most};
    std::string out;
    for (;;) {
        const auto next = decoder.next();
        if (!next) {
            return "fault: " + next.error().why();
        }
        if (next->empty()) {
            return out;
        }
        EXPECT_LE(next->size(), 64U * 1024);
        out += *next;
    }
}

bool faulty(std::string encoded, std::string_view why, std::size_t piece = 1'000) {
    const auto got = decoded(std::move(encoded), piece);
    return got.starts_with("fault: ") && got.find(why) != std::string::npos;
}

std::string some_text(std::size_t size) {
    std::mt19937_64 random{size};
    std::string out;
    while (out.size() < size) {
        out += std::to_string(random());
        out += '\n';
    }
    return out;
}

} // namespace

TEST(Decoder, TellsTheFormatsByTheirFirstBytes) {
    for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{300'000}}) {
        const auto text = size == 0 ? std::string{} : some_text(size);
        for (const auto piece : {std::size_t{1}, std::size_t{13}, std::size_t{70'000}}) {
            EXPECT_EQ(decoded(text, piece), text);
            EXPECT_EQ(decoded(gzipped(text), piece), text);
            EXPECT_EQ(decoded(zstded(text), piece), text);
        }
    }
}

TEST(Decoder, ReadsSeveralMembersAndFrames) {
    const auto a = some_text(70'000);
    const auto b = some_text(200'000);
    for (const auto piece : {std::size_t{1}, std::size_t{5'000}}) {
        EXPECT_EQ(decoded(gzipped(a) + gzipped("") + gzipped(b), piece), a + b);
        EXPECT_EQ(decoded(zstded(a) + zstded("") + zstded(b), piece), a + b);
    }
}

TEST(Decoder, RefusesEveryTruncation) {
    const auto text = some_text(500);
    for (const auto& whole : {gzipped(text), zstded(text)}) {
        for (std::size_t cut = 4; cut < whole.size(); ++cut) {
            ASSERT_TRUE(faulty(whole.substr(0, cut), "cut off")) << cut;
        }
    }
}

TEST(Decoder, RefusesGarbageAfterTheEnd) {
    EXPECT_TRUE(faulty(gzipped("abc") + "recipient_id\n", "follows the end"));
    EXPECT_TRUE(faulty(zstded("abc") + "recipient_id\n", "follows the end"));
    EXPECT_TRUE(faulty(gzipped("abc") + zstded("abc"), "follows the end"));
}

TEST(Decoder, RefusesDamage) {
    const auto text = some_text(5'000);
    for (auto whole : {gzipped(text), zstded(text)}) {
        whole[whole.size() / 2] = static_cast<char>(whole[whole.size() / 2] ^ 0x10);
        const auto got = decoded(whole);
        EXPECT_TRUE(got.starts_with("fault: ") || got != text);
    }
    auto wrong_sum = gzipped(text);
    wrong_sum[wrong_sum.size() - 6] = static_cast<char>(wrong_sum[wrong_sum.size() - 6] ^ 1);
    EXPECT_TRUE(faulty(wrong_sum, "damaged"));
}

TEST(Decoder, NamesWhatItCannotRead) {
    EXPECT_TRUE(faulty("PK\x03\x04 and so on", "zip archive"));
    EXPECT_TRUE(faulty(std::string{"\xfd"
                                   "7zXZ\0 and so on",
                                   16},
                       "xz"));
    EXPECT_TRUE(faulty("BZh91AY", "bzip2"));
}

TEST(Decoder, ABombComesInSmallPieces) {
    const std::string zeros(8'000'000, 'a');
    EXPECT_EQ(decoded(gzipped(zeros), 64'000).size(), zeros.size()); // decoded() checks the pieces
}

// A small file may unpack to a disk full.
TEST(Decoder, StopsWhereTheLimitIs) {
    const std::string zeros(1'000'000, '0');
    for (const auto& file : {zeros, gzipped(zeros), zstded(zeros), gzipped(zeros.substr(1)) + gzipped("0")}) {
        EXPECT_EQ(decoded(file, 1'000, zeros.size()), zeros) << "just within";
        const auto beyond = decoded(file, 1'000, zeros.size() - 1);
        EXPECT_TRUE(beyond.starts_with("fault: ") && beyond.contains("999999 bytes") &&
                    beyond.contains("limits.decoded"))
            << beyond.substr(0, 200);
    }
}
