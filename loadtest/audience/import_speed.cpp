// semel-import-speed ROWS: how fast one core turns an audience file into recipients, and what memory that takes.
// Decoding (plain), CSV, checks and canonical forms; no Kafka, no sealing.

#include "people.hpp"

#include <audience/decoder.hpp>
#include <audience/import.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace {

/// Of this process, so that a busy machine changes little.
std::chrono::nanoseconds cpu_time() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

} // namespace

int main(int argc, char** argv) {
    using namespace semel;
    if (argc != 2) {
        fmt::print(stderr, "usage: semel-import-speed ROWS\n");
        return 2;
    }
    const auto rows = std::strtoull(argv[1], nullptr, 10);
    const people::choices how{.messy = true};
    std::chrono::nanoseconds making{}; // the generator's share is taken out
    std::uint64_t index = 0;
    std::string piece{people::csv_header()};
    bool started = false;
    const auto source = [&]() -> base::result<std::string_view> {
        const auto begun = cpu_time();
        if (std::exchange(started, true)) {
            piece.clear();
        }
        while (index < rows && piece.size() < 64 * 1024) {
            people::append_csv(piece, people::make(how, ++index));
        }
        making += cpu_time() - begun;
        return std::string_view{piece};
    };
    audience::decoder decoder{source};
    audience::importer importer{
        [&] { return decoder.next(); },
        audience::format::csv,
        {.default_region = "KR", .segment_names = {"entrance_code"}, .slot_names = {}, .locale = [](std::string_view) {
             return std::string{"ko"};
         }}};
    const auto begun = cpu_time();
    v1::Recipient recipient;
    for (;;) {
        const auto step = importer.next(recipient);
        if (!step) {
            fmt::print(stderr, "{}\n", step.error().why());
            return 1;
        }
        if (*step == audience::importer::step::end) {
            break;
        }
    }
    const std::chrono::duration<double> spent = cpu_time() - begun - making;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print("{} rows in {:.2f} s of one core: {:.0f} rows/s, {} rejected, {} MiB resident\n", rows, spent.count(),
               static_cast<double>(rows) / spent.count(), importer.totals().rejected, usage.ru_maxrss / 1024);
    return 0;
}
