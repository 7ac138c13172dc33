#include "sim_plan.hpp"

#include "call.hpp"

#include <base/codes.hpp>
#include <base/ids.hpp>
#include <semel/v1/audience.pb.h>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <plan/core/pacing.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace semel::simulation {

namespace {

constexpr auto channel = base::channel::sms;
constexpr double ahead = 60; // messages that may wait at the dispatchers
constexpr std::size_t batch = 25;

topic_partition place_of(const std::string& campaign, const sim_plan::audience& all) {
    const auto n = std::distance(all.begin(), all.find(campaign));
    return {sim_plan::progress, static_cast<std::int32_t>(n)};
}

v1::Wave launched() {
    v1::Wave w;
    w.set_phase(v1::WAVE_LAUNCHED);
    return w;
}

} // namespace

sim_plan::sim_plan(world& w, process p, broker& b, const sim_log::trouble& t, const audience& all, campaign_source c,
                   std::int32_t partitions)
    : fenced(w, p, b, t, "plan")
    , audience_(all)
    , campaigns_(std::move(c))
    , partitions_(partitions) {}

void sim_plan::restore() {
    positions_.clear();
    for (const auto& [campaign, rows] : audience_) {
        const auto& written = broker_.records(place_of(campaign, audience_));
        v1::Progress front;
        if (!written.empty() && !front.ParseFromString(written.back().value)) {
            throw std::logic_error{"the progress of a release cannot be read"};
        }
        positions_.insert_or_assign(campaign, plan::position{front, nullptr});
    }
}

double sim_plan::room() const {
    double waiting = 0;
    for (std::int32_t n = 0; n < partitions_; ++n) {
        const topic_partition at{wire::dispatch(channel), n};
        waiting += static_cast<double>(broker_.end(at) - broker_.committed(at).next); // as one asks Kafka
    }
    return ahead - waiting;
}

asio::awaitable<bool> sim_plan::live() {
    co_await delay(world_, of_, world_.between(50ms, 600ms));
    std::vector<plan::applicant> applicants;
    for (const auto& [campaign, rows] : audience_) {
        const auto left = static_cast<double>(rows.size()) - static_cast<double>(positions_.at(campaign).rows());
        if (left > 0) {
            applicants.push_back({.campaign = campaign, .left = left, .wants = left, .time = 1h});
        }
    }
    room_.begin(room(), applicants);
    for (const auto& one : applicants) {
        records out;
        switch (
            plan::stance_of(campaigns_(one.campaign), launched(), base::timestamp{world_.now().time_since_epoch()})) {
        case plan::stance::send:
            out = release(one.campaign, room_.left(one.campaign) > 0 ? batch : 0);
            break;
        case plan::stance::cancel:
            out = cancel(one.campaign);
            break;
        case plan::stance::hold:
        case plan::stance::expire:
            break;
        }
        if (!out.empty() && !co_await commit(one.campaign, std::move(out))) {
            co_return false;
        }
    }
    co_return true;
}

sim_plan::records sim_plan::release(const std::string& campaign, std::size_t most) {
    records out;
    auto& at = positions_.at(campaign);
    const auto& rows = audience_.at(campaign);
    const auto first = static_cast<std::size_t>(at.rows());
    const auto end = std::min(rows.size(), first + most);
    for (auto row = first; row < end; ++row) {
        const auto& d = rows[row];
        out.emplace_back(topic_partition{wire::dispatch(channel), base::partition_of(d.notification(), partitions_)},
                         d.SerializeAsString());
    }
    if (!out.empty()) {
        room_.spend(campaign, static_cast<double>(out.size()));
        at.tell(static_cast<std::int64_t>(end), {channel}, {channel});
    }
    return out;
}

sim_plan::records sim_plan::cancel(const std::string& campaign) {
    auto& at = positions_.at(campaign);
    const auto& rows = audience_.at(campaign);
    wire::event_batches events{partitions_};
    for (auto row = static_cast<std::size_t>(at.rows()); row < rows.size(); ++row) {
        auto e = wire::event_of(v1::EVENT_FAILED, rows[row], base::timestamp{world_.now().time_since_epoch()});
        wire::tell(e, {.gateway = {}, .code = codes::cancelled, .text = "the campaign was cancelled"});
        events.add(e);
    }
    at.tell(static_cast<std::int64_t>(rows.size()), {channel}, {channel});
    records out;
    for (auto& [partition, value] : events.take()) {
        out.emplace_back(topic_partition{std::string{wire::events}, partition}, std::move(value));
    }
    return out;
}

asio::awaitable<bool> sim_plan::commit(const std::string& campaign, records out) {
    v1::Progress front;
    positions_.at(campaign).write_front(front, static_cast<std::int64_t>(audience_.at(campaign).size()));
    co_return co_await fenced::commit(std::move(out), place_of(campaign, audience_), front.SerializeAsString());
}

} // namespace semel::simulation
