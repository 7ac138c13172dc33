// The service against a real Kafka.
#include <base/bytes.hpp>
#include <base/must.hpp>
#include <crypto/hash.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <notice/source.hpp>
#include <runtime/race.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/audience.pb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <render/edge/service.hpp>
#include <support/backing.hpp>
#include <support/records.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <stdexcept>

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using base::must;

using support::broker;

/// Topics and a group of this test's own.
struct ground {
    ground() {
        static int count = 0;
        const auto prefix =
            fmt::format("t.render.{}.{}.{}.", ::getpid(),
                        std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000'000, ++count);
        settings.bootstrap = broker();
        settings.instance = prefix + "1";
        settings.group = prefix + "group";
        settings.topics = {prefix + "notices", prefix + "artifacts", prefix + "feedback"};
        kafka::admin admin{settings.bootstrap};
        const std::vector<kafka::topic_spec> topics{{settings.topics.notices, 1, true, {}},
                                                    {settings.topics.artifacts, 1, true, {}},
                                                    {settings.topics.feedback, 1, false, {{"retention.ms", "-1"}}}};
        must(admin.create_topics(topics));
        must(admin.write_first_offsets(settings.group, std::span{topics}.first(1)));
    }
    render::settings settings;
};

asio::awaitable<void> upload(asio::any_io_executor executor, const ground& on, std::string folder,
                             std::string campaign) {
    const auto files = must(notice::load_folder(folder));
    v1::NoticeSource source;
    source.set_campaign_id(campaign);
    source.set_digest(std::string{base::as_view(notice::digest_of(files))});
    for (const auto& [name, bytes] : files) {
        (*source.mutable_files())[name] = bytes;
    }
    kafka::producer_options options{.bootstrap = on.settings.bootstrap, .transactional_id = {}};
    kafka::producer writer{executor, std::move(options)};
    kafka::topic_partition to{on.settings.topics.notices, 0};
    must(co_await writer.send(std::move(to), source.digest() + campaign, source.SerializeAsString()));
}

struct seen {
    std::set<std::string> artifacts;
    std::size_t artifact_records = 0;
    std::vector<v1::Feedback> feedback;
};

/// Reads until `count` words to the api have come.
asio::awaitable<seen> read_until(asio::any_io_executor executor, const ground& on, std::size_t count) {
    seen out;
    for (;;) {
        out = {};
        for (const bool artifacts : {false, true}) {
            kafka::reader::options options{.bootstrap = on.settings.bootstrap};
            kafka::reader all{executor, std::move(options)};
            must(co_await all.from_beginning(artifacts ? on.settings.topics.artifacts : on.settings.topics.feedback));
            for (auto batch = co_await all.next(); !batch.empty(); batch = co_await all.next()) {
                for (const auto& record : batch) {
                    if (artifacts) {
                        EXPECT_EQ(record.key(), base::as_view(crypto::sha256(record.value())));
                        out.artifacts.emplace(record.key());
                        ++out.artifact_records;
                    } else {
                        EXPECT_TRUE(out.feedback.emplace_back().ParseFromArray(
                            record.value().data(), static_cast<int>(record.value().size())));
                    }
                }
            }
        }
        if (out.feedback.size() >= count) {
            co_return out;
        }
        co_await runtime::sleep(50ms);
    }
}

asio::awaitable<void> story(asio::any_io_executor executor, const ground& on) {
    telemetry::metrics metrics;
    co_await upload(executor, on, "notices/follow-up", "c-good");
    co_await upload(executor, on, "common/notice/tests/data/broken", "c-broken");
    {
        render::service service{executor, on.settings, metrics};
        const auto two_words = [](asio::any_io_executor ex, const ground& g) -> asio::awaitable<void> {
            const auto got = co_await read_until(ex, g, 2);
            EXPECT_EQ(got.artifacts.size(), 18U);
            EXPECT_EQ(got.feedback[0].campaign_id(), "c-good");
            EXPECT_EQ(got.feedback[0].compiled().artifacts_size(), 18);
            for (const auto& ref : got.feedback[0].compiled().artifacts()) {
                EXPECT_TRUE(got.artifacts.contains(ref.artifact()));
            }
            EXPECT_EQ(got.feedback[1].campaign_id(), "c-broken");
            EXPECT_GT(got.feedback[1].compiled().problems_size(), 0);
        };
        co_await service.run(two_words(executor, on));
    }
    // A successor goes on behind them: what is done is not done again.
    co_await upload(executor, on, "notices/follow-up", "c-again");
    render::service successor{executor, on.settings, metrics};
    const auto one_more = [](asio::any_io_executor ex, const ground& g) -> asio::awaitable<void> {
        const auto got = co_await read_until(ex, g, 3);
        EXPECT_EQ(got.feedback.size(), 3U);
        EXPECT_EQ(got.feedback[2].campaign_id(), "c-again");
        EXPECT_EQ(got.artifacts.size(), 18U); // the same content has the same name
        EXPECT_EQ(got.artifact_records, 36U);
    };
    co_await successor.run(one_more(executor, on));
}

} // namespace

TEST(RenderService, TurnsNoticesIntoArtifactsOnceAndGoesOnWhereItStopped) {
    const ground on;
    asio::io_context io;
    bool ended = false;
    std::exception_ptr failure;
    asio::co_spawn(io, story(io.get_executor(), on), [&](std::exception_ptr thrown) {
        ended = true;
        failure = thrown;
        io.stop();
    });
    io.run_for(90s);
    if (failure) {
        std::rethrow_exception(failure);
    }
    EXPECT_TRUE(ended) << "the story did not end within 90 s";
}
