#include "partition_group.hpp"

#include <runtime/race.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace semel::plan {

namespace asio = boost::asio;

namespace {

bool begins_with_any(std::string_view key, const std::vector<std::string>& prefixes) {
    return std::ranges::any_of(prefixes, [&](const std::string& prefix) { return key.starts_with(prefix); });
}

} // namespace

bool share::owns(std::int32_t partition) const {
    return std::ranges::find(partitions, partition) != partitions.end();
}

partition_group::partition_group(asio::any_io_executor executor, kafka_place place, std::string group, work w)
    : executor_(executor)
    , place_(std::move(place))
    , topic_(place_.topic(wire::audience))
    , consumer_(executor, {.bootstrap = place_.bootstrap,
                           .group = place_.group(group),
                           .instance = place_.instance,
                           .topics = {topic_},
                           .session_timeout = std::chrono::seconds{10},
                           .batch = 1,
                           .prefetch_kib = 1})
    , work_(std::move(w))
    , idle_(executor)
    , stopping_(executor) {}

asio::awaitable<void> partition_group::run() {
    const auto serve = [](partition_group& self) -> asio::awaitable<void> {
        for (;;) {
            auto happened = co_await self.consumer_.next();
            if (const auto* given = std::get_if<kafka::assigned>(&happened)) {
                co_await self.take(*given);
            } else if (const auto* taken = std::get_if<kafka::revoked>(&happened)) {
                co_await self.leave();
                self.consumer_.release(*taken);
            } else if (std::holds_alternative<kafka::stopped>(happened)) {
                co_return;
            }
        }
    };
    const auto until_stopped = [](partition_group& self) -> asio::awaitable<void> {
        while (!self.stopped_) {
            co_await self.stopping_.wait();
        }
    };
    const auto until_failed = [](partition_group& self) -> asio::awaitable<void> {
        while (!self.failure_) {
            co_await self.idle_.wait();
        }
        std::rethrow_exception(self.failure_);
    };
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(serve(*this));
    tasks.push_back(until_stopped(*this));
    tasks.push_back(until_failed(*this));
    co_await runtime::first_of(std::move(tasks));
    co_await leave();
    co_await consumer_.close();
}

void partition_group::stop() {
    stopped_ = true;
    if (share_) {
        share_->ending = true;
        share_->wake.notify();
    }
    stopping_.notify();
}

void partition_group::wake() {
    if (share_) {
        share_->wake.notify();
    }
}

asio::awaitable<void> partition_group::take(const kafka::assigned& given) {
    std::vector<kafka::start> positions;
    for (const auto& at : given.partitions) {
        positions.push_back({at, 0});
    }
    consumer_.begin(positions);
    consumer_.pause(given.partitions);
    if (given.partitions.empty() || stopped_) {
        co_return;
    }
    share_ = std::make_shared<share>(executor_);
    share_->as = consumer_.current_membership();
    for (const auto& at : given.partitions) {
        share_->partitions.push_back(at.partition);
    }
    working_ = true;
    asio::co_spawn(executor_, work_(share_), [this](std::exception_ptr failure) {
        working_ = false;
        failure_ = failure;
        idle_.notify();
    });
}

asio::awaitable<void> partition_group::leave() {
    if (!share_) {
        co_return;
    }
    share_->ending = true;
    share_->wake.notify();
    while (working_) {
        co_await idle_.wait();
    }
    share_.reset();
}

asio::awaitable<base::result<partition_group::position>> partition_group::recover(std::shared_ptr<share> mine,
                                                                                  std::vector<std::string> prefixes) {
    std::vector<kafka::topic_partition> owned;
    for (const auto partition : mine->partitions) {
        owned.push_back({topic_, partition});
    }
    // Answers only when no transaction of a former owner is undecided: whoever is fenced is so before we read on.
    const auto committed = co_await consumer_.committed(std::move(owned));
    if (!committed) {
        co_return base::failed(committed.error());
    }
    position found;
    std::map<std::int32_t, std::uint64_t> awaited;
    for (const auto& c : *committed) {
        found.turns[c.at.partition] = static_cast<std::uint64_t>(c.next);
        if (c.next > 0) {
            awaited[c.at.partition] = static_cast<std::uint64_t>(c.next);
        }
    }
    kafka::reader reader{executor_, {.bootstrap = place_.bootstrap}};
    if (auto begun = co_await reader.from_beginning(place_.topic(wire::progress)); !begun) {
        co_return base::failed(begun.error());
    }
    if (auto end = co_await reader.refresh_end(); !end) {
        co_return base::failed(end.error());
    }
    // The coordinator may know of a commit before its marker stands in `progress`: read on until the last turn is seen.
    while (!reader.at_end() || !awaited.empty()) {
        if (mine->ending) {
            co_return base::failed(base::fault::kind::stopping, "the partitions are given back");
        }
        const auto batch = co_await reader.next();
        for (const auto& r : batch) {
            const std::string key{r.key()};
            v1::Progress p;
            if (!begins_with_any(key, prefixes) || r.is_tombstone() ||
                !p.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()))) {
                continue;
            }
            const auto partition = std::stoi(key.substr(key.rfind('|') + 1));
            if (!mine->owns(partition)) {
                continue;
            }
            if (const auto waiting = awaited.find(partition); waiting != awaited.end() && p.turn() >= waiting->second) {
                awaited.erase(waiting);
            }
            found.progress[key] = std::move(p);
        }
        if (batch.empty() && !awaited.empty()) {
            if (auto end = co_await reader.refresh_end(); !end) {
                co_return base::failed(end.error());
            }
            co_await runtime::sleep(std::chrono::milliseconds{20});
        }
    }
    co_return found;
}

} // namespace semel::plan
