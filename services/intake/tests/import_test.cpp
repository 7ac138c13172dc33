// Against a real Kafka: what is in the topics after imports that were let through, refused, repeated and cut short.

#include <audience/sealed_file.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <runtime/condition.hpp>
#include <wire/sealed.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <intake/edge/service.hpp>
#include <support/backing.hpp>
#include <support/records.hpp>
#include <support/slowness.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::int32_t partitions = 3;

struct topic_reading {
    std::vector<std::pair<kafka::topic_partition, std::string>> values; // in partition order
    std::vector<kafka::offset> offsets;
};

struct Intake : ::testing::Test {
    std::string name = "intake-test-" + std::to_string(std::random_device{}());
    fs::path folder = fs::temp_directory_path() / name;
    base::campaign_id campaign{"c-test"};
    crypto::key_ring kek = crypto::key_ring::random();
    crypto::campaign_key key = crypto::campaign_key::random();
    intake::settings settings;
    kafka::admin admin{support::broker()};
    telemetry::metrics metrics;

    Intake() {
        settings.bootstrap = support::broker();
        settings.group = name;
        settings.instance = name + "-1";
        settings.topics = {name + ".work", name + ".audience", name + ".progress", name + ".feedback"};
        settings.uploads = folder / "uploads";
        settings.rejects = folder / "rejects";
        settings.keys = kek;
        settings.audience_partitions = settings.progress_partitions = partitions;
        settings.chunks_per_transaction = 4;
        fs::create_directories(settings.uploads / campaign.value());
        const std::vector<kafka::topic_spec> all{
            {.name = settings.topics.work, .partitions = partitions, .compacted = false, .config = {}},
            {.name = settings.topics.audience, .partitions = partitions, .compacted = false, .config = {}},
            {.name = settings.topics.progress, .partitions = partitions, .compacted = true, .config = {}},
            {.name = settings.topics.feedback, .partitions = 1, .compacted = false, .config = {}}};
        must(admin.wait_until_ready(30s));
        must(admin.create_topics(all));
        must(admin.write_first_offsets(settings.group, std::span{all}.first(1)));
    }
    ~Intake() override {
        const std::vector<std::string> all{settings.topics.work, settings.topics.audience, settings.topics.progress,
                                           settings.topics.feedback};
        static_cast<void>(admin.delete_topics(all));
        fs::remove_all(folder);
    }

    static void must(const base::result<void>& done) {
        if (!done) {
            throw std::runtime_error{done.error().why()};
        }
    }

    void upload(const std::string& text, std::uint32_t number = 1) {
        auto writer = audience::sealed_writer::create(settings.uploads / audience::upload_file({campaign, number}), key,
                                                      {campaign, number});
        ASSERT_TRUE(writer);
        ASSERT_TRUE(writer->write(text));
        ASSERT_TRUE(writer->finish());
    }

    v1::ImportOrder order(std::uint32_t upload_number = 1) {
        v1::ImportOrder made;
        made.set_campaign_id(campaign.value());
        made.set_upload(upload_number);
        made.set_format("csv");
        made.set_wrapped_key(kek.wrap(key, campaign));
        made.set_default_region("KR");
        made.set_default_locale("ko");
        made.add_locales("ko");
        made.add_segment_names("entrance_code");
        return made;
    }

    void send(std::string value, std::int32_t partition = 0) {
        asio::io_context io;
        kafka::producer producer{io.get_executor(), {.bootstrap = settings.bootstrap, .transactional_id = {}}};
        bool sent = false;
        const auto put = [](kafka::producer& to, kafka::topic_partition at, std::string bytes,
                            bool& done) -> asio::awaitable<void> {
            const auto answer = co_await to.send(std::move(at), "c-test", std::move(bytes));
            done = answer.has_value();
        };
        asio::co_spawn(io, put(producer, {settings.topics.work, partition}, std::move(value), sent), asio::detached);
        io.run();
        ASSERT_TRUE(sent);
    }

    /// Everything committed in a topic.
    topic_reading read_topic(const std::string& topic) {
        asio::io_context io;
        topic_reading out;
        const auto read = [](Intake& self, std::string which, topic_reading& into) -> asio::awaitable<void> {
            kafka::reader::options options{.bootstrap = self.settings.bootstrap};
            kafka::reader reader{co_await asio::this_coro::executor, std::move(options)};
            must(co_await reader.from_beginning(std::move(which)));
            while (!reader.at_end()) {
                for (const auto& record : co_await reader.next()) {
                    into.values.emplace_back(record.at(), std::string{record.value()});
                    into.offsets.push_back(record.offset());
                }
            }
        };
        run(io, read(*this, topic, out));
        return out;
    }

    static void run(asio::io_context& io, asio::awaitable<void> what) {
        std::exception_ptr failed;
        asio::co_spawn(io, std::move(what), [&](std::exception_ptr e) {
            failed = e;
            io.stop();
        });
        io.run_for(60s);
        if (failed) {
            std::rethrow_exception(failed);
        }
    }

    std::vector<v1::ImportResult> feedback() {
        std::vector<v1::ImportResult> out;
        for (const auto& [at, value] : read_topic(settings.topics.feedback).values) {
            v1::Feedback feedback;
            EXPECT_TRUE(feedback.ParseFromString(value));
            EXPECT_EQ(feedback.campaign_id(), campaign.value());
            out.push_back(feedback.imported());
        }
        return out;
    }

    kafka::offset committed(std::int32_t partition = 0) {
        const auto lags = admin.group_lag(settings.group, settings.topics.work);
        EXPECT_TRUE(lags);
        for (const auto& lag : *lags) {
            if (lag.at.partition == partition) {
                return lag.committed;
            }
        }
        return -1;
    }

    /// A process of intake, until `enough` says so; then it is gone as after kill -9: nothing is closed or committed.
    void serve_until(const std::function<bool(intake::service&)>& enough) {
        asio::io_context io;
        {
            intake::service service{io.get_executor(), settings, metrics};
            std::exception_ptr failed;
            bool ended = false;
            runtime::condition never{io.get_executor()};
            asio::co_spawn(io, service.run(never.wait()), [&](std::exception_ptr e) { failed = e, ended = true; });
            const auto deadline = std::chrono::steady_clock::now() + 60s;
            while (!ended && !enough(service)) {
                ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "intake did not get there in time";
                io.restart();
                io.run_for(20ms);
            }
            if (failed) {
                std::rethrow_exception(failed);
            }
            io.stop();
        }
    }
    void serve_until_committed(kafka::offset offset, std::int32_t partition = 0) {
        serve_until([&](auto&) { return committed(partition) >= offset; });
    }

    /// The rows in `audience`, after checking what plan relies on: spans, digests, seals, chunk numbers.
    std::vector<std::uint64_t> rows_of(const v1::ImportResult& result, std::uint32_t upload_number = 1) {
        std::vector<std::uint64_t> rows;
        const auto all = read_topic(settings.topics.audience);
        std::map<std::uint32_t, crypto::hasher> hashers;
        std::set<std::uint64_t> chunks;
        for (std::size_t i = 0; i < all.values.size(); ++i) {
            v1::AudienceRecord record;
            EXPECT_TRUE(record.ParseFromString(all.values[i].second));
            if (record.upload() != upload_number) {
                continue;
            }
            const auto p = static_cast<std::uint32_t>(all.values[i].first.partition);
            EXPECT_EQ(record.chunk() % partitions, p);
            EXPECT_TRUE(chunks.insert(record.chunk()).second);
            hashers[p].update(record.sealed());
            bool inside = false;
            for (const auto& span : result.spans()) {
                inside = inside || (span.partition() == p && all.offsets[i] >= span.start_offset() &&
                                    all.offsets[i] < span.end_offset());
            }
            EXPECT_TRUE(inside);
            const auto opened = wire::open_chunk(key, record);
            EXPECT_TRUE(opened);
            EXPECT_EQ(record.count(), static_cast<std::uint32_t>(opened->recipients_size()));
            EXPECT_EQ(record.first_row(), opened->recipients(0).row());
            for (const auto& recipient : opened->recipients()) {
                rows.push_back(recipient.row());
            }
        }
        for (const auto& span : result.spans()) {
            EXPECT_EQ(span.digest(), std::string{base::as_view(hashers[span.partition()].finish())});
        }
        std::ranges::sort(rows);
        return rows;
    }
};

std::string some_rows(std::size_t count, std::size_t bad_every = 0) {
    std::string text = "recipient_id,email,segments\n";
    for (std::size_t i = 1; i <= count; ++i) {
        const bool bad = bad_every != 0 && i % bad_every == 0;
        text += std::to_string(i) + ",person" + std::to_string(i) + "@example.com," +
                (bad ? "no_such" : "entrance_code") + "\n";
    }
    return text;
}

std::vector<std::uint64_t> numbers(std::size_t count, std::size_t bad_every = 0) {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 1; i <= count; ++i) {
        if (bad_every == 0 || i % bad_every != 0) {
            out.push_back(i);
        }
    }
    return out;
}

} // namespace

TEST_F(Intake, WritesEveryRowOnceAndTellsWhere) {
    upload(some_rows(3'210, 100));
    send(order().SerializeAsString());
    serve_until_committed(1);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_FALSE(told[0].refused());
    EXPECT_EQ(told[0].rows(), 3'210U);
    EXPECT_EQ(told[0].rejected(), 32U);
    EXPECT_EQ(rows_of(told[0]), numbers(3'210, 100));
    std::ifstream rejects{settings.rejects / audience::rejects_file({campaign, 1})};
    const std::string text{std::istreambuf_iterator<char>{rejects}, {}};
    EXPECT_TRUE(text.starts_with("line,column,reason,effect\r\n101,segments,")) << text.substr(0, 100);
    EXPECT_EQ(std::ranges::count(text, '\n'), 33);
}

TEST_F(Intake, KilledAnywhereItGoesOnAndWritesNoRowTwice) {
    upload(some_rows(20'000, 1'000));
    send(order().SerializeAsString());
    std::size_t lives = 0;
    for (std::size_t enough : {1U, 2U, 9U, 16U}) {
        serve_until([&](auto&) { // gone with a transaction open, after some have been committed
            return read_topic(settings.topics.audience).values.size() >= enough;
        });
        EXPECT_TRUE(feedback().empty());
        EXPECT_EQ(committed(), 0);
        ++lives;
    }
    EXPECT_EQ(lives, 4U);
    serve_until_committed(1);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].rows(), 20'000U);
    EXPECT_EQ(told[0].rejected(), 20U);
    EXPECT_EQ(rows_of(told[0]), numbers(20'000, 1'000));
}

TEST_F(Intake, AFileRefusedWritesNothing) {
    upload(some_rows(2'000) + "2001,\"never closed\n");
    send(order().SerializeAsString());
    serve_until_committed(1);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].refused());
    EXPECT_NE(told[0].reason().find("line 2002"), std::string::npos) << told[0].reason();
    EXPECT_TRUE(read_topic(settings.topics.audience).values.empty());
    EXPECT_TRUE(fs::is_empty(settings.rejects));
}

TEST_F(Intake, AFileThatLeavesManyUnreachableIsImportedOnlyWhenSomebodySaysSo) {
    upload("Recipient ID , E-Mail               , shoe size\n"
           "K001         , k1@mail.example.com  , 270      \n"
           "K002         , not an address       , 265      \n");
    send(order().SerializeAsString());
    serve_until_committed(1);
    auto accepted = order();
    accepted.set_accept_unreachable(true);
    send(accepted.SerializeAsString());
    send(accepted.SerializeAsString());
    serve_until_committed(3);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 3U);
    EXPECT_TRUE(told[0].refused());
    EXPECT_NE(told[0].reason().find("1 of 2 people (50.0 %)"), std::string::npos) << told[0].reason();
    EXPECT_FALSE(told[1].refused());
    EXPECT_EQ(rows_of(told[1]), numbers(2));
    const auto& found = told[1].findings();
    EXPECT_EQ(found.unreachable(), 1U);
    ASSERT_EQ(found.columns_size(), 3);
    EXPECT_EQ(found.columns(1).name() + " is " + found.columns(1).use(), "E-Mail is email");
    EXPECT_EQ(found.columns(2).use(), "unused");
    EXPECT_GE(found.warnings_size(), 1);
    EXPECT_EQ(told[2].SerializeAsString(), told[1].SerializeAsString()) << "the second answer is the first";
}

TEST_F(Intake, AnUploadThatIsMissingOrAnothersIsRefused) {
    send(order(1).SerializeAsString());
    upload(some_rows(10), 2);
    auto other = order(2);
    other.set_upload(3); // the frames are bound to upload 2
    send(other.SerializeAsString());
    auto another_file = order(2);
    another_file.set_file_digest(std::string(32, 'x'));
    send(another_file.SerializeAsString());
    serve_until_committed(3);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 3U);
    for (const auto& one : told) {
        EXPECT_TRUE(one.refused());
        EXPECT_FALSE(one.reason().empty());
    }
    EXPECT_TRUE(read_topic(settings.topics.audience).values.empty());
}

TEST_F(Intake, AnOrderThatComesTwiceIsAnsweredTwiceAndWrittenOnce) {
    upload(some_rows(1'200));
    send(order().SerializeAsString());
    send(order().SerializeAsString());
    serve_until_committed(2);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].SerializeAsString(), told[1].SerializeAsString());
    EXPECT_EQ(rows_of(told[0]), numbers(1'200));
}

TEST_F(Intake, WavesLieSideBySide) {
    upload(some_rows(1'700), 1);
    upload(some_rows(900), 2);
    send(order(1).SerializeAsString(), 0);
    send(order(2).SerializeAsString(), 0);
    serve_until_committed(2);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(rows_of(told[0], 1), numbers(1'700));
    EXPECT_EQ(rows_of(told[1], 2), numbers(900));
}

TEST_F(Intake, AnOrderThatDoesNotParseStopsNobody) {
    upload(some_rows(10));
    send("\xff\xff no order");
    send(order().SerializeAsString());
    serve_until_committed(2);
    ASSERT_EQ(feedback().size(), 1U);
}

// The second process takes the partition over while the first is in the middle of the file.
TEST_F(Intake, AnotherProcessGoesOnWithWhatIsTakenFromThisOne) {
    constexpr auto rows = 120'000 / support::slowness;
    upload(some_rows(rows));
    send(order().SerializeAsString());
    // Slow enough that the group hears of the second process before the end.
    settings.chunks_per_transaction = 1;
    auto other = settings;
    other.chunks_per_transaction = 20;
    telemetry::metrics theirs;
    other.instance = name + "-0"; // sorts first: the range assignor gives it partition 0
    asio::io_context io;
    std::exception_ptr failed;
    const auto ended = [&](std::exception_ptr e) { failed = e ? e : failed; };
    {
        intake::service first{io.get_executor(), settings, metrics};
        runtime::condition never{io.get_executor()};
        asio::co_spawn(io, first.run(never.wait()), ended);
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        const auto go_on_until = [&](const std::function<bool()>& enough) {
            while (!failed && !enough()) {
                ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "intake did not get there in time";
                io.restart();
                io.run_for(20ms);
            }
        };
        go_on_until([&] { return !read_topic(settings.topics.audience).values.empty(); });
        EXPECT_EQ(committed(), 0);
        intake::service second{io.get_executor(), other, theirs};
        asio::co_spawn(io, second.run(never.wait()), ended);
        go_on_until([&] { return committed() == 1; });
        io.stop();
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(rows_of(told[0]), numbers(rows));
    EXPECT_EQ(metrics.expose().find("semel_intake_rows_total 0\n"), std::string::npos) << "the first wrote nothing";
    EXPECT_EQ(theirs.expose().find("semel_intake_rows_total 0\n"), std::string::npos) << "the first wrote everything";
}

// The row itself is one that is rejected.
TEST_F(Intake, AChunkEndsWhereACanaryDoes) {
    upload(some_rows(1'300, 100));
    auto with_cut = order();
    with_cut.set_cut_after_row(700);
    send(with_cut.SerializeAsString());
    serve_until_committed(1);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(rows_of(told[0]), numbers(1'300, 100));
    std::set<std::uint64_t> firsts;
    for (const auto& [at, value] : read_topic(settings.topics.audience).values) {
        v1::AudienceRecord record;
        ASSERT_TRUE(record.ParseFromString(value));
        firsts.insert(record.first_row());
    }
    EXPECT_EQ(firsts, (std::set<std::uint64_t>{1, 506, 701, 1'206})) << "of 500 rows that were taken, or up to the cut";
}

// 5,889 bytes of gzip made 127 MB of rejects.
TEST_F(Intake, TheListOfRejectsIsBoundedAndCountsWhatItLeavesOut) {
    settings.listed_rejects = 10;
    upload(some_rows(3'210, 100));
    send(order().SerializeAsString());
    serve_until_committed(1);
    const auto told = feedback();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].rejected(), 32U);
    std::ifstream rejects{settings.rejects / audience::rejects_file({campaign, 1})};
    const std::string text{std::istreambuf_iterator<char>{rejects}, {}};
    EXPECT_EQ(std::ranges::count(text, '\n'), 12) << "the header, ten, and a line that counts the rest";
    EXPECT_NE(text.find("\r\n,,\"and 22 more, which are not listed"), std::string::npos) << text;
}

TEST_F(Intake, AFileBeyondTheLimitsIsRefusedInWords) {
    const auto refused = [&](std::uint32_t number) {
        upload(some_rows(2'000), number);
        send(order(number).SerializeAsString());
        serve_until_committed(number);
        const auto last = feedback().back();
        return last.refused() ? last.reason() : std::string{"it was taken"};
    };
    settings.limits = {.decoded = 10'000, .rows = 5'000};
    EXPECT_NE(refused(1).find("limits.decoded"), std::string::npos);
    settings.limits = {.decoded = 10'000'000, .rows = 1'999};
    EXPECT_NE(refused(2).find("more than 1999 rows"), std::string::npos);
    settings.limits.rows = 2'000;
    EXPECT_EQ(refused(3), "it was taken");
}
