#include <audience/sealed_file.hpp>

#include <gtest/gtest.h>

#include <fstream>

using namespace semel;
namespace fs = std::filesystem;

namespace {

const crypto::campaign_key key = crypto::campaign_key::random();
const audience::upload_place here{base::campaign_id{"c-test"}, 1};

struct SealedFile : ::testing::Test {
    fs::path folder = fs::temp_directory_path() / ("semel-sealed-" + std::to_string(::getpid()));
    fs::path file = folder / "upload";

    SealedFile() { fs::create_directories(folder); }
    ~SealedFile() override { fs::remove_all(folder); }

    crypto::digest store(const std::string& plain) {
        auto writer = audience::sealed_writer::create(file, key, here);
        EXPECT_TRUE(writer);
        EXPECT_TRUE(writer->write(std::string_view{plain}.substr(0, plain.size() / 3)));
        EXPECT_TRUE(writer->write(std::string_view{plain}.substr(plain.size() / 3)));
        EXPECT_EQ(writer->size(), plain.size());
        const auto digest = writer->finish();
        EXPECT_TRUE(digest);
        return digest.value_or(crypto::digest{});
    }
    std::string bytes() const {
        std::ifstream in{file, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    void put(std::string_view bytes) const {
        std::ofstream{file, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    /// The plain bytes, or "fault: ...".
    std::string load(const crypto::campaign_key& with = key, audience::upload_place at = here) const {
        auto reader = audience::sealed_reader::open(file, with, std::move(at));
        if (!reader) {
            return "fault: " + reader.error().why();
        }
        std::string out;
        for (;;) {
            const auto piece = reader->next();
            if (!piece) {
                return "fault: " + piece.error().why();
            }
            if (piece->empty()) {
                return out;
            }
            out += *piece;
        }
    }
    bool faulty() const { return load().starts_with("fault: "); }
};

} // namespace

TEST_F(SealedFile, GivesBackWhatWasWritten) {
    for (const auto size : {0, 1, 40, 65'535, 65'536, 65'537, 300'000}) {
        const std::string plain(static_cast<std::size_t>(size), 'x');
        EXPECT_EQ(store(plain), crypto::sha256(plain));
        EXPECT_EQ(load(), plain) << size;
    }
}

TEST_F(SealedFile, HoldsNoPlainByte) {
    store("recipient_id,email\nkim,kim@example.com\n");
    EXPECT_EQ(bytes().find("example"), std::string::npos);
}

TEST_F(SealedFile, EveryTruncationIsFound) {
    store(std::string(70'000, 'x'));
    const auto whole = bytes();
    for (std::size_t cut = 0; cut < whole.size(); cut += cut < 20 || cut + 200 > whole.size() ? 1 : 997) {
        put(std::string_view{whole}.substr(0, cut));
        ASSERT_TRUE(faulty()) << cut;
    }
    put(whole + "x");
    EXPECT_TRUE(faulty());
}

TEST_F(SealedFile, FramesCannotBeSwappedDroppedOrChanged) {
    store(std::string(65'536, 'a') + std::string(65'536, 'b') + "c");
    const auto whole = bytes();
    const std::size_t frame = 4 + 12 + 65'536 + 16;
    const auto first = whole.substr(8, frame);
    const auto second = whole.substr(8 + frame, frame);
    const auto rest = whole.substr(8 + 2 * frame);
    put("SEMELUP1" + second + first + rest);
    EXPECT_TRUE(faulty());
    put("SEMELUP1" + first + rest);
    EXPECT_TRUE(faulty());
    auto changed = whole;
    changed[100] = static_cast<char>(changed[100] ^ 1);
    put(changed);
    EXPECT_TRUE(faulty());
    put(whole);
    EXPECT_FALSE(faulty());
}

TEST_F(SealedFile, OpensOnlyInItsPlace) {
    store("abc");
    EXPECT_EQ(load(), "abc");
    EXPECT_TRUE(load(crypto::campaign_key::random()).starts_with("fault: "));
    EXPECT_TRUE(load(key, {base::campaign_id{"c-test"}, 2}).starts_with("fault: "));
    EXPECT_TRUE(load(key, {base::campaign_id{"c-other"}, 1}).starts_with("fault: "));
}

TEST_F(SealedFile, IsNotThereBeforeItIsFinished) {
    {
        auto writer = audience::sealed_writer::create(file, key, here);
        ASSERT_TRUE(writer);
        ASSERT_TRUE(writer->write("abc"));
        EXPECT_FALSE(fs::exists(file));
    }
    EXPECT_TRUE(fs::is_empty(folder));
    EXPECT_TRUE(load().starts_with("fault: cannot open"));
}

TEST(StoredFiles, AreNamedByIdsAlone) {
    EXPECT_EQ(audience::upload_file({base::campaign_id{"c-x"}, 2}), "c-x/2");
    EXPECT_EQ(audience::rejects_file({base::campaign_id{"c-x"}, 2}), "c-x-2.csv");
    for (const auto* id : {"", "..", "../c-x", "c-x/..", "/etc", "C-X", "c.x"}) {
        EXPECT_THROW(static_cast<void>(audience::upload_file({base::campaign_id{id}, 1})), std::logic_error) << id;
        EXPECT_THROW(static_cast<void>(audience::rejects_file({base::campaign_id{id}, 1})), std::logic_error) << id;
    }
}
