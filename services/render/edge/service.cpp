#include "service.hpp"

#include <base/bytes.hpp>
#include <failpoint/failpoint.hpp>
#include <kafka/trust.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <render/core/rendering.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

namespace semel::render {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int most_attempts = 5;

} // namespace

service::service(asio::any_io_executor executor, settings s, telemetry::metrics& metrics)
    : settings_(std::move(s))
    , compiled_(
          metrics.make_counter("semel_render_notices_total", "Notices taken from Kafka", {{"result", "compiled"}}))
    , refused_(metrics.make_counter("semel_render_notices_total", "Notices taken from Kafka", {{"result", "refused"}}))
    , producer_(executor, {.bootstrap = settings_.bootstrap, .transactional_id = settings_.instance})
    , consumer_(executor, {.bootstrap = settings_.bootstrap,
                           .group = settings_.group,
                           .instance = settings_.instance,
                           .topics = {settings_.topics.notices}}) {}

asio::awaitable<void> service::run() {
    co_await producer_.init();
    for (;;) {
        auto event = co_await consumer_.next();
        if (auto* assigned = std::get_if<kafka::assigned>(&event)) {
            co_await begin(std::move(*assigned));
        } else if (auto* revoked = std::get_if<kafka::revoked>(&event)) {
            consumer_.release(
                *revoked); // nothing is under way: a notice is finished before the next event is asked for
        } else if (auto* records = std::get_if<kafka::records>(&event)) {
            for (auto& record : records->batch) {
                co_await handle(std::move(record));
            }
        } else {
            co_return;
        }
    }
}

asio::awaitable<void> service::close() {
    co_await consumer_.close();
}

asio::awaitable<void> service::begin(kafka::assigned assigned) {
    membership_ = consumer_.current_membership();
    std::vector<kafka::start> positions;
    if (!assigned.partitions.empty()) {
        const auto committed = co_await consumer_.committed(std::move(assigned.partitions));
        if (!committed) {
            throw std::runtime_error{committed.error().why()};
        }
        for (const auto& one : *committed) {
            positions.push_back({one.at, one.next});
        }
    }
    consumer_.begin(positions);
}

asio::awaitable<void> service::handle(kafka::record record) {
    std::optional<rendering> done;
    v1::NoticeSource source;
    if (record.is_tombstone()) {
        // A notice that was taken back: its artifacts stay, because messages may have been sent from them.
    } else if (!source.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
        kafka::refuse(record, "it is not a NoticeSource");
    } else {
        done = render(source);
    }
    for (int attempt = 1;; ++attempt) {
        producer_.begin();
        if (done) {
            for (const auto& artifact : done->artifacts) {
                kafka::topic_partition to{settings_.topics.artifacts, 0};
                co_await producer_.produce(std::move(to), artifact.key, artifact.value);
            }
            kafka::topic_partition to{settings_.topics.feedback, 0};
            const auto feedback = done->feedback.SerializeAsString();
            co_await producer_.produce(std::move(to), source.campaign_id(), feedback);
        }
        SEMEL_FAILPOINT("render.compiled.produced");
        std::vector<kafka::commit> offsets;
        offsets.push_back({.at = record.at(), .next = record.offset() + 1, .metadata = {}});
        const auto result = co_await producer_.commit(std::move(offsets), membership_);
        if (result.outcome == kafka::outcome::committed) {
            SEMEL_FAILPOINT("render.compiled.committed");
            break;
        }
        telemetry::log().warn("transaction.not_committed", {{"attempt", attempt}, {"why", result.why}});
        if (attempt == most_attempts) {
            throw std::runtime_error{"the artifacts of a notice could not be written to Kafka: " + result.why};
        }
        if (result.outcome == kafka::outcome::unknown) {
            co_await producer_.rebuild();
        }
        co_await runtime::sleep(200ms);
    }
    if (done) {
        const auto& compiled = done->feedback.compiled();
        const bool good = compiled.problems_size() == 0;
        (good ? compiled_ : refused_).add();
        telemetry::log().info(good ? "notice.compiled" : "notice.refused", {{"campaign", source.campaign_id()},
                                                                            {"notice", base::to_hex(source.digest())},
                                                                            {"artifacts", compiled.artifacts_size()},
                                                                            {"problems", compiled.problems_size()}});
    }
}

} // namespace semel::render
