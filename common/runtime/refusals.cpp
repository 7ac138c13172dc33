#include "refusals.hpp"

#include <base/codes.hpp>
#include <base/time.hpp>
#include <runtime/race.hpp>
#include <semel/v1/events.pb.h>
#include <telemetry/log.hpp>
#include <wire/events.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <utility>

namespace semel::runtime {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_pending = 64; // records, and so many are written in a second at most
constexpr std::size_t most_bytes = 4 << 20;
constexpr std::uint64_t most_lines = 10; // of the log, in ten seconds
constexpr auto write_every = 1s;

/// The key of what is written here to `events`. Of such a record that is refused in its turn, nobody is told: two
/// processes with different keys would tell each other for ever.
constexpr std::string_view own_key = "refused";

} // namespace

refusals::refusals(asio::any_io_executor executor, options where, telemetry::metrics& metrics)
    : executor_(std::move(executor))
    , options_(std::move(where))
    , metrics_(metrics) {}

void refusals::say(const kafka::refused_record& r) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= quiet_until_) {
        quiet_until_ = now + 10s;
        said_ = 0;
    }
    if (++said_ > most_lines) {
        ++unsaid_;
        return;
    }
    telemetry::log().error("record.refused", {{"topic", r.at.topic},
                                              {"partition", r.at.partition},
                                              {"offset", r.offset},
                                              {"why", r.why},
                                              {"not_logged_before", std::exchange(unsaid_, 0)}});
}

void refusals::take(const kafka::refused_record& r) {
    metrics_
        .make_counter("semel_kafka_refused_records_total", "Records that were not believed, or could not be used",
                      {{"topic", r.at.topic}})
        .add();
    say(r);
    if (pending_.size() >= most_pending || pending_bytes_ + r.value.size() > most_bytes) {
        return; // counted, and no more
    }
    pending_bytes_ += r.value.size();
    pending_.push_back({.where = fmt::format("{}/{} offset {}", r.at.topic, r.at.partition, r.offset),
                        .why = std::string{r.why},
                        .value = std::string{r.value},
                        .told = !(r.key == own_key && r.at.topic == options_.prefix + std::string{wire::events})});
}

asio::awaitable<void> refusals::write(kept one) {
    if (!producer_) {
        producer_.emplace(executor_, kafka::producer_options{.bootstrap = options_.bootstrap, .transactional_id = {}});
    }
    kafka::topic_partition letters{options_.prefix + std::string{wire::dead_letter}, 0};
    const auto buried = co_await producer_->send(std::move(letters), one.where, std::move(one.value));
    if (!buried) {
        telemetry::log().warn("dead_letter.not_written", {{"where", one.where}, {"why", buried.error().why()}});
    }
    if (!one.told) {
        co_return;
    }
    // By its place in Kafka: every process that refuses it says the same, and it counts once.
    v1::Event e;
    e.set_kind(v1::EVENT_DEAD_LETTER);
    e.set_id(wire::event_id(v1::EVENT_DEAD_LETTER, one.where, 0));
    e.set_time_us(base::to_us(base::now()));
    e.set_code(codes::dead_letter);
    e.set_text(fmt::format("{}: {}", one.where, one.why));
    wire::event_batches events{options_.partitions};
    events.add(e);
    for (auto& [partition, value] : events.take()) {
        kafka::topic_partition to{options_.prefix + std::string{wire::events}, partition};
        const auto told = co_await producer_->send(std::move(to), std::string{own_key}, std::move(value));
        if (!told) {
            telemetry::log().warn("refusal.not_told", {{"where", one.where}, {"why", told.error().why()}});
        }
    }
}

asio::awaitable<void> refusals::run() {
    do {
        auto batch = std::exchange(pending_, {});
        pending_bytes_ = 0;
        for (auto& one : batch) {
            co_await write(std::move(one));
        }
    } while (co_await sleep(write_every));
}

} // namespace semel::runtime
