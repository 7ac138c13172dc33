// semel-import-run BOOTSTRAP ROWS: a whole import of a made-up file through a real Kafka, in this process: store
// sealed, check, write, read back. Prints the rate and the memory that it took. `deploy/backing start DIR` gives a
// Kafka.

#include <audience/sealed_file.hpp>
#include <base/must.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <intake/edge/service.hpp>
#include <people.hpp>
#include <support/records.hpp>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::int32_t partitions = 8;
const base::campaign_id campaign{"c-load"};

using base::must;

void store(const fs::path& file, const crypto::campaign_key& key, std::uint64_t rows) {
    auto writer = must(audience::sealed_writer::create(file, key, {campaign, 1}));
    std::string piece{people::csv_header()};
    for (std::uint64_t i = 1; i <= rows; ++i) {
        people::append_csv(piece, people::make({.messy = true}, i));
        if (piece.size() > 64 * 1024 || i == rows) {
            must(writer.write(piece));
            piece.clear();
        }
    }
    must(writer.finish());
}

/// Sends the order and waits for the answer.
asio::awaitable<void> order_and_wait(const intake::settings& settings, v1::ImportOrder order, v1::ImportResult& told) {
    const auto executor = co_await asio::this_coro::executor;
    kafka::producer producer{executor, {.bootstrap = settings.bootstrap, .transactional_id = {}}};
    kafka::topic_partition to{settings.topics.work, 0};
    auto bytes = order.SerializeAsString();
    must(co_await producer.send(std::move(to), campaign.value(), std::move(bytes)));
    kafka::reader::options options{.bootstrap = settings.bootstrap};
    kafka::reader reader{executor, std::move(options)};
    must(co_await reader.from_beginning(settings.topics.feedback));
    for (;;) {
        for (const auto& record : co_await reader.next()) {
            v1::Feedback feedback;
            feedback.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()));
            told = feedback.imported();
            co_return;
        }
    }
}

std::string resident() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return fmt::format("{} MiB resident at most", usage.ru_maxrss / 1024);
}

void import_run(const std::string& bootstrap, std::uint64_t rows) {
    const auto name = fmt::format("import-run-{}", ::getpid());
    const auto folder = fs::temp_directory_path() / name;
    const auto kek = crypto::key_ring::random();
    const auto key = crypto::campaign_key::random();
    intake::settings settings;
    settings.bootstrap = bootstrap;
    settings.group = settings.instance = name;
    settings.topics = {name + ".work", name + ".audience", name + ".progress", name + ".feedback"};
    settings.uploads = folder / "uploads";
    settings.rejects = folder / "rejects";
    settings.keys = kek;
    settings.audience_partitions = settings.progress_partitions = partitions;
    fs::create_directories(settings.uploads / campaign.value());

    kafka::admin admin{bootstrap};
    const std::vector<kafka::topic_spec> topics{
        {.name = settings.topics.work, .partitions = 1, .compacted = false, .config = {}},
        {.name = settings.topics.audience, .partitions = partitions, .compacted = false, .config = {}},
        {.name = settings.topics.progress, .partitions = partitions, .compacted = true, .config = {}},
        {.name = settings.topics.feedback, .partitions = 1, .compacted = false, .config = {}}};
    must(admin.wait_until_ready(30s));
    must(admin.create_topics(topics));
    must(admin.write_first_offsets(settings.group, std::span{topics}.first(1)));

    store(settings.uploads / audience::upload_file({campaign, 1}), key, rows);
    fmt::print("{} rows stored, {} MiB; {}\n", rows,
               fs::file_size(settings.uploads / audience::upload_file({campaign, 1})) >> 20, resident());

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

    asio::io_context io;
    telemetry::metrics metrics;
    intake::service service{io.get_executor(), settings, metrics};
    v1::ImportResult told;
    std::exception_ptr failed;
    const auto begun = std::chrono::steady_clock::now();
    asio::co_spawn(io, service.run(order_and_wait(settings, order, told)), [&](std::exception_ptr e) {
        failed = e;
        io.stop();
    });
    io.run();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    std::vector<std::string> names;
    for (const auto& topic : topics) {
        names.push_back(topic.name);
    }
    must(admin.delete_topics(names));
    fs::remove_all(folder);
    if (failed) {
        std::rethrow_exception(failed);
    }
    fmt::print("{} rows imported, {} rejected{}, in {:.1f} s: {:.0f} rows/s; {}\n", told.rows(), told.rejected(),
               told.refused() ? " (refused: " + told.reason() + ")" : "", spent.count(),
               static_cast<double>(told.rows()) / spent.count(), resident());
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr,
                   "usage: semel-import-run BOOTSTRAP ROWS\nexample: semel-import-run 127.0.0.1:19092 1000000\n");
        return 2;
    }
    try {
        import_run(argv[1], std::strtoull(argv[2], nullptr, 10));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "semel-import-run: {}\n", error.what());
        return 1;
    }
}
