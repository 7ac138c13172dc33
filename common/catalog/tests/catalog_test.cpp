// Records in `control` and `artifacts` that cannot be used: passed over, told, and nobody ends.

#include <catalog/catalog.hpp>
#include <crypto/hash.hpp>
#include <crypto/keys.hpp>
#include <kafka/tests/support.hpp>
#include <runtime/race.hpp>
#include <wire/topics.hpp>

#include <support/raw_records.hpp>

#include <filesystem>

namespace semel::catalog {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using kafka::test::broker;
using kafka::test::must;
using kafka::test::play;
using support::refused;

struct Catalog : ::testing::Test {
    std::string prefix = kafka::test::fresh("catalog") + ".";
    kafka::topic_partition control{prefix + std::string{wire::control}, 0};
    kafka::topic_partition artifacts{prefix + std::string{wire::artifacts}, 0};
    kafka::admin admin{broker()};
    crypto::key_ring keys = crypto::key_ring::random();

    Catalog() {
        must(admin.create_topics(std::vector<kafka::topic_spec>{
            {.name = control.topic, .partitions = 1, .compacted = true, .config = {}},
            {.name = artifacts.topic, .partitions = 1, .compacted = true, .config = {}}}));
    }

    static v1::Campaign campaign(const std::string& id, std::uint64_t version, const crypto::key_ring& under) {
        v1::Campaign c;
        c.set_id(id);
        c.set_version(version);
        c.set_wrapped_key(under.wrap(crypto::campaign_key::random(), base::campaign_id{id}));
        return c;
    }
    static asio::awaitable<void> put(kafka::topic_partition to, std::string key, std::string value) {
        kafka::producer writer{co_await asio::this_coro::executor, {.bootstrap = broker(), .transactional_id = {}}};
        must(co_await writer.send(std::move(to), std::move(key), std::move(value)));
    }
    /// Once it is known.
    template <class Id>
    static auto known(const catalog& all, Id id) -> asio::awaitable<decltype(all.find(id))> {
        const auto there = [&all, &id] { return all.find(id) != nullptr; };
        co_await kafka::test::until(there, "the record to be known");
        co_return all.find(id);
    }
    /// While the catalog follows its topics.
    void with(const std::function<asio::awaitable<void>(catalog&)>& what) {
        play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
            catalog all{ex, {.bootstrap = broker(), .keys = keys, .prefix = prefix}};
            std::vector<asio::awaitable<void>> both;
            both.push_back(all.run());
            both.push_back(what(all));
            co_await runtime::first_of(std::move(both));
        });
    }
};

TEST_F(Catalog, PassesOverWhatIsNoRecordOfOurs) {
    support::write_raw(broker(), control, "c-a", std::string(20, '\x9c'));
    support::write_raw(broker(), artifacts, "a", std::string(20, '\x9c'));
    auto unapproved = campaign("c-hostile", 1'000'000, keys);
    unapproved.set_phase(v1::CAMPAIGN_RUNNING);
    support::write_raw(broker(), control, "c-hostile", unapproved.SerializeAsString());
    with([&](catalog& all) -> asio::awaitable<void> {
        // These two are genuine: a fault of ours is not a reason to end either.
        co_await put(control, "c-b", std::string(20, '\x9c'));
        co_await put(artifacts, std::string(32, 'x'), "not what hashes to its key");
        co_await put(control, "c-good", campaign("c-good", 1, keys).SerializeAsString());
        const std::string text = v1::Artifact{}.SerializeAsString();
        const auto digest = crypto::sha256(text);
        co_await put(artifacts, std::string{base::as_view(digest)}, text);
        const auto good = co_await known(all, base::campaign_id{"c-good"});
        EXPECT_TRUE(good->key);
        co_await known(all, base::artifact_id{digest});
        EXPECT_FALSE(all.find(base::campaign_id{"c-hostile"})) << "nobody approved it";
    });
    EXPECT_EQ(refused().of(control.topic).size(), 3U);
    EXPECT_EQ(refused().of(artifacts.topic).size(), 2U);
}

TEST_F(Catalog, ACampaignWhoseKeyDoesNotOpenWaitsForTheKeys) {
    const auto folder = fs::temp_directory_path() / prefix;
    fs::create_directories(folder);
    must(crypto::make_key_file(folder / "here"));
    must(crypto::make_key_file(folder / "there"));
    keys = must(crypto::key_ring::load({folder / "here"}));
    const auto others = must(crypto::key_ring::load({folder / "there"}));
    with([&](catalog& all) -> asio::awaitable<void> {
        co_await put(control, "c-theirs", campaign("c-theirs", 1, others).SerializeAsString());
        co_await put(control, "c-ours", campaign("c-ours", 1, keys).SerializeAsString());
        co_await known(all, base::campaign_id{"c-ours"});
        EXPECT_FALSE(all.find(base::campaign_id{"c-theirs"})) << "without a key it would look destroyed";

        // A later state under a key that is not here is obeyed all the same: the campaign's key has not changed.
        auto paused = campaign("c-ours", 2, others);
        paused.set_phase(v1::CAMPAIGN_PAUSED);
        const auto before = all.version();
        co_await put(control, "c-ours", paused.SerializeAsString());
        co_await all.changed(before);
        const auto now = all.find(base::campaign_id{"c-ours"});
        EXPECT_EQ(now->state.phase(), v1::CAMPAIGN_PAUSED);
        EXPECT_TRUE(now->key);

        must(keys.reload({folder / "here", folder / "there"}));
        const auto theirs = co_await known(all, base::campaign_id{"c-theirs"});
        EXPECT_TRUE(theirs->key);
    });
    fs::remove_all(folder);
}

} // namespace
} // namespace semel::catalog
