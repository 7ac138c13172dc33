#include <base/must.hpp>
#include <runtime/keys.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace semel::runtime {
namespace {

namespace fs = std::filesystem;
using base::must;
using authenticity = crypto::key_ring::authenticity;

struct WatchedKeys : ::testing::Test {
    fs::path folder = fs::temp_directory_path() / ("semel-keys-" + base::to_hex(crypto::random_bytes(8)));

    WatchedKeys() {
        fs::create_directories(folder);
        must(crypto::make_key_file(folder / "old"));
        must(crypto::make_key_file(folder / "young"));
    }
    ~WatchedKeys() override { fs::remove_all(folder); }

    /// Replaced, as an editor does.
    void write(const std::string& yaml) const {
        std::ofstream{folder / "fresh"} << yaml;
        fs::rename(folder / "fresh", folder / "semel.yaml");
    }
    config::settings settings() const { return must(config::load(folder / "semel.yaml")); }
};

TEST_F(WatchedKeys, ANewListTakesHoldWithoutARestart) {
    write("key_encryption_key_file: old\n");
    watched_keys keys{settings()};
    const auto ring = keys.ring();
    const auto before = ring.writing();
    write("keys: [young, old]\n");
    keys.look_again();
    EXPECT_EQ(ring.keys().size(), 2U);
    EXPECT_NE(ring.writing(), before);
    write("keys: [young, missing]\n");
    keys.look_again();
    write("keys: {");
    keys.look_again();
    EXPECT_EQ(ring.keys().size(), 2U) << "what cannot be read changes nothing";
    must(crypto::retire_key_file(folder / "old"));
    write("keys: [young, old]\n");
    keys.look_again();
    EXPECT_TRUE(ring.keys().at(1).retired);
}

TEST_F(WatchedKeys, ARecordUnderAKeyJustPutInIsBelievedAtOnce) {
    write("keys: [old]\n");
    watched_keys behind{settings()};
    write("keys: [young, old]\n");
    watched_keys ahead{settings()};
    const auto mac = ahead.ring().mac("dispatch.email", {"k", "v"});
    EXPECT_EQ(behind.ring().verify("dispatch.email", {"k", "v"}, mac), authenticity::genuine)
        << "no two processes look at the same moment";
    const auto strange = crypto::key_ring::random().mac("dispatch.email", {"k", "v"});
    EXPECT_EQ(behind.ring().verify("dispatch.email", {"k", "v"}, strange), authenticity::unknown_key);
}

TEST_F(WatchedKeys, AServiceThatCannotReadItsKeySaysSoAtItsStart) {
    write("key_encryption_key_file: missing\n");
    EXPECT_THROW(watched_keys{settings()}, std::runtime_error);
}

} // namespace
} // namespace semel::runtime
