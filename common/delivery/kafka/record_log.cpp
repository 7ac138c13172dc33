#include "record_log.hpp"

#include <kafka/consumer.hpp>
#include <kafka/leave_group.hpp>
#include <kafka/producer.hpp>

#include <utility>

namespace semel::delivery {

namespace {

kafka::consumer_options consumer_options(const record_log_options& o) {
    return {.bootstrap = o.bootstrap,
            .group = o.group,
            .instance = o.instance,
            .topics = o.topics,
            .session_timeout = o.session_timeout,
            .prefetch_kib = 1'024, // pausing a partition throws its prefetched records away
            .tell_ends = true};
}

} // namespace

struct record_log::impl {
    impl(asio::any_io_executor ex, record_log_options o)
        : options(std::move(o))
        , consumer(ex, consumer_options(options))
        , producer(ex, {.bootstrap = options.bootstrap, .transactional_id = options.instance}) {}

    /// Behind the last record there may be marks of transactions and what was rolled back, as much as a killed plan had
    /// under way: it would count as waiting, and plan releases nothing while much waits.
    void pass_what_is_not_a_record() {
        for (auto& at : last.ended) {
            if (const auto end = consumer.end_read(at)) {
                last.passed.push_back({.at = std::move(at), .next = *end});
            }
        }
    }

    record_log_options options;
    kafka::consumer consumer;
    kafka::transactional_producer producer;
    std::shared_ptr<const kafka::membership> membership; // of the assignment
    std::shared_ptr<const kafka::membership> begun_as;   // the transaction that is open
    kafka::records last;                                 // what next() gave points into it
};

record_log::record_log(asio::any_io_executor ex, record_log_options o)
    : impl_(std::make_unique<impl>(std::move(ex), std::move(o))) {}
record_log::~record_log() = default;

asio::awaitable<log_event> record_log::next() {
    auto event = co_await impl_->consumer.next();
    if (auto* gained = std::get_if<kafka::assigned>(&event)) {
        co_return log_event{std::move(*gained)};
    }
    if (auto* gone = std::get_if<kafka::revoked>(&event)) {
        co_return log_event{std::move(*gone)};
    }
    auto* read = std::get_if<kafka::records>(&event);
    if (read == nullptr) {
        co_return log_event{kafka::stopped{}};
    }
    impl_->last = std::move(*read);
    impl_->pass_what_is_not_a_record();
    fetched out;
    out.records.reserve(impl_->last.batch.size());
    for (const auto& r : impl_->last.batch) {
        out.records.push_back({.from = &r.at(), .at = r.offset(), .value = r.value()});
    }
    out.passed = impl_->last.passed;
    co_return log_event{std::move(out)};
}

void record_log::begin(std::span<const kafka::start> positions) {
    impl_->consumer.begin(positions);
}
void record_log::release(const kafka::revoked& gone) {
    impl_->consumer.release(gone);
}
void record_log::pause(std::span<const kafka::topic_partition> which) {
    impl_->consumer.pause(which);
}
void record_log::resume(std::span<const kafka::topic_partition> which) {
    impl_->consumer.resume(which);
}

asio::awaitable<base::result<std::vector<kafka::commit>>>
record_log::committed(std::vector<kafka::topic_partition> which) {
    return impl_->consumer.committed(std::move(which));
}

void record_log::bind_membership() {
    impl_->membership = impl_->consumer.current_membership();
}

asio::awaitable<void> record_log::close() {
    return impl_->consumer.close();
}

asio::awaitable<base::result<void>> record_log::leave() {
    auto group = impl_->options.group;
    std::vector<std::string> self{impl_->options.instance};
    co_return co_await kafka::leave_group(impl_->options.bootstrap, std::move(group), std::move(self));
}

asio::awaitable<void> record_log::init() {
    return impl_->producer.init();
}
void record_log::begin() {
    impl_->begun_as = impl_->membership;
    impl_->producer.begin();
}
asio::awaitable<void> record_log::produce(kafka::topic_partition to, std::string_view key, std::string_view value) {
    return impl_->producer.produce(std::move(to), key, value);
}
asio::awaitable<kafka::commit_result> record_log::commit(std::vector<kafka::commit> offsets) {
    return impl_->producer.commit(std::move(offsets), impl_->begun_as);
}
asio::awaitable<void> record_log::rebuild() {
    return impl_->producer.rebuild();
}

} // namespace semel::delivery
