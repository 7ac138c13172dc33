// Taking campaigns through their steps.

#include "api.hpp"
#include "memory.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <notice/check.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/uploads.hpp>

#include <api/core/canary.hpp>
#include <api/edge/decisions.hpp>
#include <api/edge/verifiable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

/// What a step needs to know besides the campaign.
struct step_input {
    std::map<std::uint32_t, wave_plan> plans;
    std::vector<approval> approvals;
    std::string creator;
    std::function<std::vector<notice::problem>()> problems; // of the notice
    std::optional<approval> approved;                       // out: to be stored
    std::string said;                                       // out: what the record of the step says besides its name
    std::string noted;                                      // out: the same in the user's own list of decisions
    json::object told;                                      // out: what the answer says besides the states
};
using step_of = std::function<step(const v1::Campaign&, step_input&, const user&)>;

v1::Event wave_event(v1::EventKind kind, const v1::Campaign& c, const v1::Wave& wave, const user& who) {
    v1::Event e;
    e.set_id(wire::event_id(kind, c.id(), wave.number()));
    e.set_kind(kind);
    e.set_campaign_id(c.id());
    e.set_time_us(base::to_us(base::now()));
    e.set_wave(wave.number());
    e.set_rows(wave.rows());
    e.set_rejected(wave.rejected());
    e.set_actor(who.name);
    return e;
}

/// What the step did to waves, as the ledger must know it, and to the uploads they came from.
void follow_waves(pqxx::work& tx, const v1::Campaign& before, const v1::Campaign& after, const user& who,
                  std::int32_t partitions) {
    for (int i = 0; i < after.waves_size(); ++i) {
        const auto& wave = after.waves(i);
        if (wave.phase() == before.waves(i).phase()) {
            continue;
        }
        if (wave.phase() == v1::WAVE_SEALED) {
            store::enqueue_event(tx, wave_event(v1::EVENT_WAVE_SEALED, after, wave, who), partitions);
        } else if (is_dropped(wave)) {
            store::enqueue_event(tx, wave_event(v1::EVENT_WAVE_DROPPED, after, wave, who), partitions);
            store::forget_file(tx, after.id(), wire::upload_of(wave));
        }
    }
}

/// Which step, under which name the record and the log have it, and what it decides.
struct wish {
    access::step which;
    std::string what;
    step_of decide;
};

asio::awaitable<http::response> take_step(services& s, http::request& r, user who, wish w) {
    const auto id = r.parameter("id");
    const auto partitions = s.topics.events;
    auto response = co_await s.steps.run([id, who, w, partitions,
                                          keys = s.keys](pqxx::connection& connection) -> http::response {
        pqxx::work tx{connection};
        const auto campaign = store::lock_campaign(tx, id);
        if (!campaign) {
            return not_found(id);
        }
        step_input in{.plans = store::read_plans(tx, id),
                      .approvals = store::read_approvals(tx, id),
                      .creator = store::creator_of(tx, id),
                      .problems =
                          [&tx, &id] {
                              const auto source = store::notice_of(tx, id);
                              return notice::check({source.files().begin(), source.files().end()}).problems;
                          },
                      .approved = {},
                      .said = {},
                      .noted = {},
                      .told = {}};
        const auto next = w.decide(*campaign, in, who);
        if (!next) {
            return refused(next.error());
        }
        store::update_campaign(tx, *next);
        if (in.approved) {
            store::add_approval(tx, id, *in.approved);
        }
        store::enqueue_event(tx, operator_event(*next, who, w.what + in.said), partitions);
        follow_waves(tx, *campaign, *next, who, partitions);
        note(tx,
             decision_made{
                 .actor = who.name, .campaign = id, .what = std::string{access::name_of(w.which)}, .text = in.noted});
        note_verifiable(tx, keys, *campaign, *next);
        tx.commit();
        json::object out{{"id", id}, {"state", to_string(next->phase())}};
        json::array waves;
        for (const auto& wave : next->waves()) {
            waves.push_back(json::object{{"wave", wave.number()}, {"state", to_string(wave.phase())}});
        }
        out["waves"] = std::move(waves);
        out.insert(in.told.begin(), in.told.end());
        return answer(out);
    });
    if (response.status == 200) {
        s.outbox.notify();
        telemetry::log().info("campaign.stepped", {{"campaign", id}, {"step", w.what}, {"by", who.name}});
    }
    co_return response;
}

asio::awaitable<http::response> drop(services& s, http::request& r, user who) {
    const auto wave = number_in(r, "wave");
    if (!wave) {
        co_return http::problem(404, "there is no such wave");
    }
    auto what = fmt::format("dropped wave {}", *wave);
    step_of decide = [number = *wave](const v1::Campaign& c, step_input& in, const user& by) {
        in.noted = fmt::format("wave {}", number);
        return drop_wave(c, number, in.creator, by);
    };
    co_return co_await take_step(s, r, std::move(who), {access::step::drop_wave, std::move(what), std::move(decide)});
}

/// What an approver says: what was looked at, and the findings taken on.
struct approving {
    sight seen;
    acceptance taken_on;
};

/// {"seen": {"notice", "audience", "plan"}}, each as GET .../approval gave it.
result<sight> sight_of(const json::object& o) {
    const auto* value = o.if_contains("seen");
    if (value == nullptr || !value->is_object()) {
        return failed(fault::kind::malformed,
                      "seen is missing: an approval binds what its approver looked at. GET .../approval shows what "
                      "waits, with the digests to send back as seen: {notice, audience, plan}");
    }
    sight out;
    for (const auto& [name, into] : {std::pair{"notice", &sight::notice}, std::pair{"audience", &sight::audience},
                                     std::pair{"plan", &sight::plan}}) {
        const auto* hex = json::find_text(value->get_object(), name);
        const auto bytes = hex == nullptr ? std::nullopt : base::from_hex(*hex);
        if (!bytes || bytes->size() != sizeof(crypto::digest)) {
            return failed(fault::kind::malformed, fmt::format("seen.{} must be a SHA-256 of 64 hex digits", name));
        }
        out.*into = *bytes;
    }
    return out;
}

/// {"seen": {...}, "accept": ["KR-W3"], "reason": "..."}; the last two may be missing.
result<approving> approving_of(const json::object& o) {
    auto seen = sight_of(o);
    if (!seen) {
        return failed(seen.error());
    }
    approving out{.seen = std::move(*seen), .taken_on = {}};
    if (const auto* reason = o.if_contains("reason"); reason != nullptr && !reason->is_null()) {
        if (!reason->is_string()) {
            return failed(fault::kind::malformed, "reason must be a string");
        }
        out.taken_on.reason = reason->get_string();
    }
    if (const auto* list = o.if_contains("accept"); list != nullptr && !list->is_null()) {
        const auto is_rule = [](const json::value& rule) { return rule.is_string(); };
        if (!list->is_array() || !std::ranges::all_of(list->get_array(), is_rule)) {
            return failed(fault::kind::malformed, "accept must be a list of rules, such as [\"KR-W3\"]");
        }
        for (const auto& rule : list->get_array()) {
            out.taken_on.rules.emplace_back(rule.get_string());
        }
    }
    return out;
}

step decide_approval(const v1::Campaign& c, step_input& in, const user& who, const approving& says) {
    const auto earlier = in.approvals.empty() ? accepted_findings{} : in.approvals.front().accepted;
    const auto accepted = accept_findings(in.problems(), earlier, says.taken_on);
    // Who may not approve at all, or has seen something else, is told so first.
    auto ok =
        approve(c, in.plans, in.approvals, in.creator, who, says.seen, accepted ? *accepted : accepted_findings{});
    if (!ok) {
        return failed(ok.error());
    }
    if (!accepted) {
        return failed(accepted.error());
    }
    std::string taken_on;
    for (const auto& rule : says.taken_on.rules) {
        taken_on += fmt::format("; accepted {}: {}", rule, says.taken_on.reason);
    }
    const auto digest = base::to_hex(digest_of(says.seen));
    in.said = fmt::format(" {}{}", digest, taken_on);
    in.noted = fmt::format("waves {}; digest {}{}", fmt::join(ok->approval.waves, ", "), digest, taken_on);
    in.approved = std::move(ok->approval);
    return std::move(ok->campaign);
}

asio::awaitable<http::response> approve_step(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto says = approving_of(*body);
    if (!says) {
        co_return http::problem(says.error());
    }
    step_of decide = [says = *says](const v1::Campaign& c, step_input& in, const user& by) {
        return decide_approval(c, in, by, says);
    };
    co_return co_await take_step(s, r, std::move(who), {access::step::approve, "approve", std::move(decide)});
}

asio::awaitable<http::response> seal_step(services& s, http::request& r, user who) {
    const auto redis = co_await look_at_memory(s, base::campaign_id{r.parameter("id")});
    step_of decide = [redis](const v1::Campaign& c, step_input& in, const user&) -> step {
        auto next = seal(c);
        if (!next) {
            return next;
        }
        const auto need = need_of(*next, redis);
        if (const auto room = has_room(*next, need, redis); !room) {
            return failed(room.error());
        }
        in.told = json::object{{"redis", to_json(need, redis)}};
        return next;
    };
    co_return co_await take_step(s, r, std::move(who), {access::step::seal, "seal", std::move(decide)});
}

/// Pins the date that every message bears, and a default deadline: not by a clock that may be wrong.
asio::awaitable<http::response> launch_step(services& s, http::request& r, user who) {
    const auto now = s.time().certain;
    if (!now) {
        co_return http::problem(503,
                                "nothing was launched: what time it is is not certain on the api's host, whose clock "
                                "is not the Kafka broker's, or Kafka does not answer",
                                "`semel status` says which; set the clock, or start Kafka, and launch again");
    }
    step_of decide = [now = *now](const v1::Campaign& c, step_input& in, const user&) {
        return launch(c, in.plans, in.approvals, now);
    };
    co_return co_await take_step(s, r, std::move(who), {access::step::launch, "launch", std::move(decide)});
}

} // namespace

void add_step_routes(guarded_routes& all, services& s) {
    const auto add_step = [&](const std::string& name, access::step which, step_of decide) {
        all.add("POST", "/v1/campaigns/{id}/" + name, which, [&s, name, which, decide](http::request& r, user who) {
            return take_step(s, r, std::move(who), {which, name, decide});
        });
    };
    all.add("POST", "/v1/campaigns/{id}/seal", access::step::seal,
            [&s](http::request& r, user who) { return seal_step(s, r, std::move(who)); });
    all.add("POST", "/v1/campaigns/{id}/approve", access::step::approve,
            [&s](http::request& r, user who) { return approve_step(s, r, std::move(who)); });
    all.add("POST", "/v1/campaigns/{id}/launch", access::step::launch,
            [&s](http::request& r, user who) { return launch_step(s, r, std::move(who)); });
    add_step("release", access::step::release,
             [](const v1::Campaign& c, step_input&, const user&) { return release(c); });
    add_step("pause", access::step::pause, [](const v1::Campaign& c, step_input&, const user&) { return pause(c); });
    add_step("resume", access::step::resume, [](const v1::Campaign& c, step_input&, const user&) { return resume(c); });
    all.add("POST", "/v1/campaigns/{id}/waves/{wave}/drop", access::step::drop_wave,
            [&s](http::request& r, user who) { return drop(s, r, std::move(who)); });
    add_step("cancel", access::step::cancel, [](const v1::Campaign& c, step_input&, const user&) { return cancel(c); });
}

} // namespace semel::api
