#include "service.hpp"

#include <base/bytes.hpp>
#include <failpoint/failpoint.hpp>
#include <kafka/trust.hpp>
#include <telemetry/log.hpp>

#include <optional>
#include <utility>

namespace semel::render {
namespace asio = boost::asio;

service::service(asio::any_io_executor executor, settings s, telemetry::metrics& metrics)
    : settings_(std::move(s))
    , compiled_(
          metrics.make_counter("semel_render_notices_total", "Notices taken from Kafka", {{"result", "compiled"}}))
    , refused_(metrics.make_counter("semel_render_notices_total", "Notices taken from Kafka", {{"result", "refused"}}))
    , transactor_(executor, {.bootstrap = settings_.bootstrap,
                             .group = settings_.group,
                             .instance = settings_.instance,
                             .transactional_id = settings_.instance,
                             .topics = {settings_.topics.notices}}) {}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    return transactor_.run(*this, std::move(stop));
}

asio::awaitable<std::vector<kafka::start>> service::take(kafka::tenure_ptr of) {
    co_return of->starts();
}

asio::awaitable<void> service::read(kafka::tenure_ptr of, kafka::records fetched) {
    for (auto& record : fetched.batch) {
        if (of->ending()) {
            co_return; // the next owner reads it
        }
        co_await handle(of, std::move(record));
    }
}

asio::awaitable<void> service::leave(kafka::tenure_ptr) {
    co_return; // nothing is under way: a notice is finished before the next event is heard
}

asio::awaitable<void> service::handle(kafka::tenure_ptr of, kafka::record record) {
    std::optional<rendering> done;
    v1::NoticeSource source;
    if (record.is_tombstone()) {
        // A notice that was taken back: its artifacts stay, because messages may have been sent from them.
    } else if (!source.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
        kafka::refuse(record, "it is not a NoticeSource");
    } else {
        done = render(source);
    }
    for (;;) {
        auto transaction = co_await transactor_.begin(of);
        if (!transaction) {
            co_return;
        }
        if (done) {
            co_await produce(*transaction, *done);
        }
        SEMEL_FAILPOINT("render.compiled.produced");
        std::vector<kafka::commit> offsets;
        offsets.push_back({.at = record.at(), .next = record.offset() + 1, .metadata = {}});
        const auto became = co_await transaction->commit(std::move(offsets));
        if (became == kafka::settled::over) {
            co_return;
        }
        if (became == kafka::settled::committed) {
            break;
        }
    }
    SEMEL_FAILPOINT("render.compiled.committed");
    if (done) {
        tell(*done, source);
    }
}

asio::awaitable<void> service::produce(kafka::transaction& into, const rendering& done) {
    for (const auto& artifact : done.artifacts) {
        kafka::topic_partition to{settings_.topics.artifacts, 0};
        co_await into.produce(std::move(to), artifact.key, artifact.value);
    }
    kafka::topic_partition to{settings_.topics.feedback, 0};
    const auto feedback = done.feedback.SerializeAsString();
    co_await into.produce(std::move(to), done.feedback.campaign_id(), feedback);
}

void service::tell(const rendering& done, const v1::NoticeSource& source) {
    const auto& compiled = done.feedback.compiled();
    const bool good = compiled.problems_size() == 0;
    (good ? compiled_ : refused_).add();
    telemetry::log().info(good ? "notice.compiled" : "notice.refused", {{"campaign", source.campaign_id()},
                                                                        {"notice", base::to_hex(source.digest())},
                                                                        {"artifacts", compiled.artifacts_size()},
                                                                        {"problems", compiled.problems_size()}});
}

} // namespace semel::render
