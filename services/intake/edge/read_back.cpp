#include "read_back.hpp"

#include <kafka/trust.hpp>
#include <runtime/race.hpp>

#include <utility>

namespace semel::intake {
namespace asio = boost::asio;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = 120s; // once everything is written
constexpr auto between_looks = 100ms;

} // namespace

read_back::read_back(asio::any_io_executor executor, kafka::cluster at, span_proof proof,
                     const std::vector<kafka::start>& from, std::stop_token stop)
    : reader_(std::move(executor), {.bootstrap = std::move(at)})
    , proof_(std::move(proof))
    , stop_(std::move(stop)) {
    reader_.assign(from);
}

void read_back::written(std::optional<std::uint64_t> chunks) {
    ended_ = true;
    chunks_ = chunks;
}

bool read_back::given_up() const {
    return stop_.stop_requested() || (ended_ && !chunks_);
}

/// Another import's open transaction holds back what may be read of a partition, so the end is asked for again and
/// again. What was there once the last row had been committed is read whole, also behind the chunk that completes it.
asio::awaitable<base::result<std::optional<read_back::spans>>> read_back::run() {
    std::optional<clock::time_point> deadline;
    for (bool last = false; !last || (!proof_.complete() && clock::now() < *deadline);) {
        if (deadline || !ended_) {
            co_await runtime::sleep(between_looks);
        }
        if (given_up()) {
            co_return std::optional<spans>{};
        }
        last = ended_;
        if (last && !deadline) {
            deadline = clock::now() + patience;
        }
        if (const auto known = co_await reader_.refresh_end(); !known) {
            if (last) {
                co_return base::failed(known.error());
            }
            continue; // the writer waits for Kafka, however long
        }
        if (const auto taken = co_await read_to_end(); !taken) {
            co_return base::failed(taken.error());
        }
    }
    auto whole = proof_.finish(*chunks_);
    if (!whole) {
        co_return base::failed(whole.error());
    }
    co_return std::optional<spans>{std::move(*whole)};
}

asio::awaitable<base::result<void>> read_back::read_to_end() {
    while (!reader_.at_end() && !stop_.stop_requested()) {
        for (const auto& record : co_await reader_.next()) {
            v1::AudienceRecord chunk;
            if (!chunk.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
                kafka::refuse(record, "it is not an AudienceRecord");
                continue;
            }
            const auto taken = proof_.take(static_cast<std::uint32_t>(record.at().partition), record.offset(), chunk);
            if (!taken) {
                co_return base::failed(taken.error());
            }
        }
    }
    co_return base::result<void>{};
}

} // namespace semel::intake
