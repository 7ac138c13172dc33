#include "partition_group.hpp"

#include <kafka/consumer.hpp>
#include <runtime/race.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;

namespace {

constexpr std::chrono::milliseconds between_looks{20};

kafka::transactor_options options_of(const kafka_place& place, const std::string& role, const std::string& writer) {
    return {.bootstrap = place.bootstrap,
            .group = place.group(role),
            .instance = place.instance,
            .transactional_id = place.group(place.instance + "." + writer),
            .topics = {place.topic(wire::audience)},
            .batch = 1,
            .prefetch_kib = 1,
            .reads = false};
}

bool begins_with_any(std::string_view key, const std::vector<std::string>& prefixes) {
    return std::ranges::any_of(prefixes, [&](const std::string& prefix) { return key.starts_with(prefix); });
}

/// Of `audience`, as the end of a key of `progress` names it.
std::optional<std::int32_t> partition_in(std::string_view key) {
    const auto number = key.substr(key.rfind('|') + 1);
    std::int32_t partition = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), partition);
    return error == std::errc{} && end == number.data() + number.size() ? std::optional{partition} : std::nullopt;
}

} // namespace

share::share(asio::any_io_executor executor, kafka::tenure_ptr of)
    : wake(std::move(executor))
    , of_(std::move(of)) {
    std::ranges::transform(of_->partitions(), std::back_inserter(partitions_), &kafka::topic_partition::partition);
}

bool share::owns(std::int32_t partition) const {
    return std::ranges::find(partitions_, partition) != partitions_.end();
}

const kafka::topic_partition& share::place_of(std::int32_t partition) const {
    return *std::ranges::find(of_->partitions(), partition, &kafka::topic_partition::partition);
}

std::uint64_t share::next_turn(std::int32_t partition) const {
    return static_cast<std::uint64_t>(of_->committed().at(place_of(partition)).next) + 1;
}

kafka::commit share::turn(std::int32_t partition) const {
    return {.at = place_of(partition), .next = static_cast<kafka::offset>(next_turn(partition)), .metadata = {}};
}

partition_group::partition_group(asio::any_io_executor executor, kafka_place place, const std::string& role,
                                 const std::string& writer, work w)
    : executor_(executor)
    , place_(std::move(place))
    , transactor_(executor, options_of(place_, role, writer))
    , work_(std::move(w))
    , changed_(executor) {}

asio::awaitable<void> partition_group::run() {
    co_await runtime::race(transactor_.run(*this, until_stopped()), until_failed());
    co_await at_rest(); // the transactor waits for it only as long as it drains
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void partition_group::stop() {
    stopped_ = true;
    changed_.notify();
}

void partition_group::wake() {
    if (share_) {
        share_->wake.notify();
    }
}

asio::awaitable<void> partition_group::until_stopped() {
    while (!stopped_) {
        co_await changed_.wait();
    }
}

asio::awaitable<void> partition_group::until_failed() {
    while (!failure_) {
        co_await changed_.wait();
    }
    std::rethrow_exception(failure_);
}

asio::awaitable<void> partition_group::at_rest() {
    while (working_) {
        co_await changed_.wait();
    }
}

asio::awaitable<std::vector<kafka::start>> partition_group::take(kafka::tenure_ptr of) {
    share_ = std::make_shared<share>(executor_, of);
    working_ = true;
    asio::co_spawn(executor_, work_(share_), [this](std::exception_ptr failure) {
        working_ = false;
        failure_ = failure;
        changed_.notify();
    });
    std::vector<kafka::start> anywhere; // nothing is fetched
    for (const auto& at : of->partitions()) {
        anywhere.push_back({.at = at, .next = 0});
    }
    co_return anywhere;
}

asio::awaitable<void> partition_group::read(kafka::tenure_ptr, kafka::records) {
    co_return; // nothing is fetched
}

asio::awaitable<void> partition_group::leave(kafka::tenure_ptr) {
    wake();
    co_await at_rest();
    share_.reset();
}

asio::awaitable<base::result<kafka::transaction>> partition_group::begin(share_ptr mine) {
    auto begun = co_await transactor_.begin(mine->of_);
    if (!begun) {
        co_return base::failed(fault::kind::stopping, "the partitions are another's by now");
    }
    co_return std::move(*begun);
}

asio::awaitable<base::result<partition_group::progress>> partition_group::recover(share_ptr mine,
                                                                                  std::vector<std::string> prefixes) {
    std::map<std::int32_t, std::uint64_t> awaited;
    for (const auto& [at, stands] : mine->of_->committed()) {
        if (stands.next > 0) {
            awaited[at.partition] = static_cast<std::uint64_t>(stands.next);
        }
    }
    kafka::reader reader{executor_, {.bootstrap = place_.bootstrap}};
    if (auto begun = co_await reader.from_beginning(place_.topic(wire::progress)); !begun) {
        co_return base::failed(begun.error());
    }
    if (auto end = co_await reader.refresh_end(); !end) {
        co_return base::failed(end.error());
    }
    progress found;
    const auto note = [&](const kafka::record& r) {
        std::string key{r.key()};
        const auto partition = partition_in(key);
        v1::Progress p;
        if (!begins_with_any(key, prefixes) || r.is_tombstone() || !partition || !mine->owns(*partition) ||
            !p.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()))) {
            return;
        }
        if (const auto waiting = awaited.find(*partition); waiting != awaited.end() && p.turn() >= waiting->second) {
            awaited.erase(waiting);
        }
        found[std::move(key)] = std::move(p);
    };
    // The coordinator may know of a commit before its marker stands in `progress`: read on until the last turn is seen.
    while (!reader.at_end() || !awaited.empty()) {
        if (mine->ending()) {
            co_return base::failed(fault::kind::stopping, "the partitions are given back");
        }
        const auto batch = co_await reader.next();
        std::ranges::for_each(batch, note);
        if (batch.empty() && !awaited.empty()) {
            if (auto end = co_await reader.refresh_end(); !end) {
                co_return base::failed(end.error());
            }
            co_await runtime::sleep(between_looks);
        }
    }
    co_return found;
}

} // namespace semel::plan
