// Which records without a MAC are believed is noted once: whoever writes to Kafka and waits until the note is lost
// gains nothing.

#include <kafka/tests/support.hpp>

#include <cli/stack/unsigned_records.hpp>
#include <gmock/gmock.h>
#include <support/raw_records.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace semel::cli::stack {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using kafka::test::broker;
using kafka::test::must;
using kafka::test::play;
using ::testing::HasSubstr;

struct UnsignedRecords : ::testing::Test {
    fs::path folder = fs::temp_directory_path() / kafka::test::fresh("unsigned");
    config::settings settings;
    kafka::admin admin{broker()};
    std::string state = kafka::test::fresh("state"), log = kafka::test::fresh("log");
    std::vector<kafka::topic_spec> topics{{.name = state, .partitions = 1, .compacted = true, .config = {}},
                                          {.name = log, .partitions = 2, .compacted = false, .config = {}}};

    UnsignedRecords() {
        fs::create_directories(folder);
        settings.kafka_bootstrap = broker();
        settings.keys = {folder / "kek"};
        settings.unsigned_records = folder / "unsigned-records";
        must(crypto::make_key_file(folder / "kek"));
        must(admin.create_topics(topics));
    }
    ~UnsignedRecords() override { fs::remove_all(folder); }

    void prepare() { must(note_unsigned_records(settings, admin, topics)); }
    std::optional<std::string> noted() const {
        std::ifstream in{settings.unsigned_records};
        return in ? std::optional{std::string{std::istreambuf_iterator<char>{in}, {}}} : std::nullopt;
    }
    /// As a service of this installation writes.
    void write(const std::string& topic) const {
        kafka::trust(must(crypto::key_ring::load(settings.keys)), {});
        play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
            kafka::producer writer{ex, {.bootstrap = broker(), .transactional_id = {}}};
            kafka::topic_partition to{topic, 0};
            must(co_await writer.send(std::move(to), "k", "v"));
        });
    }
};

TEST_F(UnsignedRecords, OfAnOlderVersionAreNotedOnce) {
    support::write_raw(broker(), {state, 0}, "k", "old");
    support::write_raw(broker(), {log, 1}, "k", "old", {}, 3);
    prepare();
    EXPECT_EQ(noted(), fmt::format("{}:0:1\n{}:1:3\n", state, log));
    support::write_raw(broker(), {log, 1}, "k", "forged");
    prepare();
    EXPECT_THAT(noted().value_or(""), HasSubstr(log + ":1:3\n"));
}

TEST_F(UnsignedRecords, OfANewInstallationThereAreNone) {
    prepare();
    EXPECT_EQ(noted(), "");
}

TEST_F(UnsignedRecords, AreNotNotedAgainWhenTheNoteIsLost) {
    prepare();
    fs::remove(settings.unsigned_records);
    support::write_raw(broker(), {state, 0}, "k", "forged");
    prepare();
    EXPECT_FALSE(noted());
}

TEST_F(UnsignedRecords, AreNotNotedWhereARecordHasAMac) {
    write(state);
    support::write_raw(broker(), {log, 0}, "k", "forged");
    prepare(); // of the folder, only the key came back from the backup
    EXPECT_FALSE(noted());
    fs::remove(folder / "kek");
    prepare(); // the mark says so by now
    EXPECT_FALSE(noted());
}

TEST_F(UnsignedRecords, AreNotNotedWithoutTheKeyThatTellsMacs) {
    support::write_raw(broker(), {log, 0}, "k", "old");
    fs::remove(folder / "kek");
    const auto done = note_unsigned_records(settings, admin, topics);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().why(), HasSubstr("kek"));
    EXPECT_FALSE(noted());
}

TEST_F(UnsignedRecords, ARecordUnderAnotherKeyIsNoSign) {
    const auto mac = crypto::key_ring::random().mac(state, {state, "0", "k", "value", "v"});
    support::write_raw(broker(), {state, 0}, "k", "v", mac);
    prepare();
    EXPECT_EQ(noted(), fmt::format("{}:0:1\n", state));
}

} // namespace
} // namespace semel::cli::stack
