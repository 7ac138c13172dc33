#include "backlog.hpp"

#include <kafka/group_progress.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace semel::plan {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::array channels{base::channel::email, base::channel::push, base::channel::sms};
constexpr std::chrono::milliseconds reading_lasts{500};

using reading_by_channel = std::map<base::channel, base::result<reading>>;

/// What the dispatchers of the channel read: the queue first, then its retry tiers.
std::vector<std::string> topics_of(const kafka_place& place, base::channel c) {
    std::vector<std::string> all{place.topic(wire::dispatch(c))};
    for (std::size_t tier = 0; tier < wire::tiers.size(); ++tier) {
        all.push_back(place.topic(wire::retry(c, tier)));
    }
    return all;
}

class channel_reader {
  public:
    channel_reader(const kafka_place& place, base::channel c)
        : topics_(topics_of(place, c))
        , group_(place.bootstrap, place.group(base::to_string(c)), partitions(place.partitions)) {}

    base::result<reading> read() {
        const auto all = group_.read();
        if (!all) {
            return base::failed(all.error());
        }
        reading r;
        for (const auto& [at, committed, end] : *all) {
            const auto waiting = static_cast<double>(std::max<kafka::offset>(0, end - committed));
            if (at.topic == topics_[0]) {
                r.queued += waiting;
                r.done += static_cast<double>(committed);
                continue;
            }
            // What was put back is not done: a gateway that stands still would seem to be a fast one.
            r.done -= static_cast<double>(end - committed);
            r.put_back += at.topic == topics_[1] ? waiting : 0;
        }
        return r;
    }

  private:
    std::vector<kafka::topic_partition> partitions(std::int32_t count) const {
        std::vector<kafka::topic_partition> all;
        for (const auto& topic : topics_) {
            for (std::int32_t p = 0; p < count; ++p) {
                all.push_back({topic, p});
            }
        }
        return all;
    }

    std::vector<std::string> topics_;
    kafka::group_progress group_;
};

} // namespace

struct backlog::impl {
    impl(kafka_place p, plan::pace pace)
        : place(std::move(p))
        , ahead(pace) {
        for (const auto c : channels) {
            readers.try_emplace(c, place, c);
        }
    }
    ~impl() { thread.join(); }

    kafka_place place;
    plan::pace ahead;
    std::map<base::channel, channel_reader> readers;
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
            read.emplace(c, self.readers.at(c).read());
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

reading backlog::waiting(base::channel c) const {
    return impl_->lanes[c].last();
}

void backlog::released(base::channel c, double messages) {
    impl_->lanes[c].released(messages);
}

} // namespace semel::plan
