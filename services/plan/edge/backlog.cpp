#include "backlog.hpp"

#include <kafka/admin.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace semel::plan {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::array channels{base::channel::email, base::channel::push, base::channel::sms};
constexpr std::chrono::milliseconds reading_lasts{500};

using reading_by_channel = std::map<base::channel, base::result<reading>>;

struct records {
    double waiting = 0;
    double committed = 0;
    double ever = 0;
};

base::result<records> read_topic(kafka::admin& kafka, const kafka_place& place, base::channel c,
                                 const std::string& topic) {
    const auto lag = kafka.group_lag(place.group(base::to_string(c)), place.topic(topic));
    if (!lag) {
        return base::failed(lag.error());
    }
    records sum;
    for (const auto& partition : *lag) {
        sum.waiting += static_cast<double>(std::max<kafka::offset>(0, partition.end - partition.committed));
        sum.committed += static_cast<double>(partition.committed);
        sum.ever += static_cast<double>(partition.end);
    }
    return sum;
}

base::result<reading> read_channel(kafka::admin& kafka, const kafka_place& place, base::channel c) {
    const auto queue = read_topic(kafka, place, c, wire::dispatch(c));
    if (!queue) {
        return base::failed(queue.error());
    }
    reading r{.queued = queue->waiting, .done = queue->committed};
    for (std::size_t tier = 0; tier < wire::tiers.size(); ++tier) {
        const auto again = read_topic(kafka, place, c, wire::retry(c, tier));
        if (!again) {
            return base::failed(again.error());
        }
        // What was put back is not done: a gateway that stands still would seem to be a fast one.
        r.done += again->committed - again->ever;
        r.put_back += tier == 0 ? again->waiting : 0;
    }
    return r;
}

} // namespace

struct backlog::impl {
    impl(kafka_place p, plan::pace pace)
        : place(std::move(p))
        , ahead(pace)
        , kafka(place.bootstrap) {}
    ~impl() { thread.join(); }

    kafka_place place;
    plan::pace ahead;
    kafka::admin kafka;
    std::map<base::channel, lane> lanes;
    clock::time_point read_at{};
    bool complained = false;
    asio::thread_pool thread{1}; // last: its work uses what is above
};

backlog::backlog(kafka_place place, pace ahead)
    : impl_(std::make_unique<impl>(std::move(place), ahead)) {}
backlog::~backlog() = default;

asio::awaitable<void> backlog::refresh() {
    auto& self = *impl_;
    if (self.read_at != clock::time_point{} && clock::now() - self.read_at < reading_lasts) {
        co_return;
    }
    const auto all = co_await runtime::on_thread(self.thread, [&self] {
        reading_by_channel read;
        for (const auto c : channels) {
            read.emplace(c, read_channel(self.kafka, self.place, c));
        }
        return read;
    });
    bool failed = false;
    for (const auto& [channel, read] : all) {
        if (read) {
            self.lanes[channel].read(*read, base::instant_now());
            continue;
        }
        failed = true;
        if (!self.complained) {
            telemetry::log().warn("pacing.blind", {{"channel", base::to_string(channel)}, {"why", read.error().why()}});
        }
    }
    self.complained = failed;
    self.read_at = clock::now();
}

double backlog::room(base::channel c, double part) const {
    return impl_->lanes[c].room(impl_->ahead, part);
}

void backlog::released(base::channel c, double messages) {
    impl_->lanes[c].released(messages);
}

} // namespace semel::plan
