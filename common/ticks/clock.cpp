#include "clock.hpp"

#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace semel::ticks {

namespace asio = boost::asio;

namespace {

std::string host() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this host";
}

} // namespace

clock::clock(asio::any_io_executor executor, clock_options o)
    : producer_(std::move(executor), {.bootstrap = std::move(o.bootstrap), .transactional_id = {}})
    , topic_(o.prefix + std::string{wire::ticks})
    , every_(o.every)
    , wall_(std::move(o.wall)) {}

asio::awaitable<void> clock::run() {
    std::string logged;
    do {
        const auto sent = base::instant_now();
        kafka::topic_partition to{topic_, 0};
        const auto appended = co_await producer_.send_dated(std::move(to), {}, {});
        if (!appended) {
            failure_ = appended.error().why();
        } else if (!*appended) {
            failure_ = fmt::format("the topic {} does not have message.timestamp.type=LogAppendTime; set it with "
                                   "kafka-configs.sh",
                                   topic_);
        } else {
            failure_.clear();
            estimate_.take({.sent = sent, .appended = **appended, .told = base::instant_now()});
        }
        const auto wrong = trouble();
        const bool changed = wrong.has_value() == logged.empty();
        if (changed && wrong) {
            telemetry::log().error("clock.uncertain", {{"why", wrong->words}});
        } else if (changed) {
            telemetry::log().info("clock.certain");
        }
        logged = wrong ? wrong->words : std::string{};
    } while (co_await runtime::sleep(every_));
}

base::known_time clock::now() const {
    return judge(estimate_.at(base::instant_now()), wall_());
}

std::optional<trouble::entry> clock::trouble() const {
    const auto broker = estimate_.at(base::instant_now());
    trouble::entry e;
    if (!broker) {
        e.what = trouble::kind::kafka;
        e.words = fmt::format("the broker's clock is not known{}: nothing is sent or decided by this host's alone; it "
                              "goes on by itself",
                              failure_.empty() ? "" : " (" + failure_ + ")");
        return e;
    }
    const auto ahead = difference(*broker, wall_());
    if (!ahead) {
        return std::nullopt;
    }
    e.what = trouble::kind::clock;
    e.words = fmt::format("the clock of {} is {} the Kafka broker's: nothing is sent or decided there. Set whichever "
                          "of the two is wrong; it goes on by itself",
                          host(), in_words(*ahead));
    return e;
}

asio::awaitable<void> clock::wrong_for(std::chrono::milliseconds patience) {
    std::optional<base::instant> since;
    do {
        const auto at = base::instant_now();
        since = now().differs ? since.value_or(at) : std::optional<base::instant>{};
        if (since && at - *since >= patience) {
            co_return;
        }
    } while (co_await runtime::sleep(std::chrono::milliseconds{200}));
}

} // namespace semel::ticks
