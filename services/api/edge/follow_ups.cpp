#include "follow_ups.hpp"

#include "api.hpp"
#include "campaigns.hpp"

#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>

#include <api/core/follow_up.hpp>
#include <api/edge/ledger.hpp>
#include <fmt/format.h>

#include <optional>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

std::string channel_name(const v1::FollowUp& f) {
    const auto channel = wire::from_proto(f.channel());
    return channel ? std::string{base::to_string(*channel)} : std::string{};
}

json::object to_json(const v1::FollowUp& f) {
    return {{"of", f.of()},
            {"root", f.root()},
            {"outcome", f.outcome()},
            {"segment", f.segment()},
            {"channel", channel_name(f)}};
}

/// What the request says of the people who are meant.
struct asked {
    follow_up_terms terms;
    bool accept_unreachable = false;
};

/// Nothing: it is not said.
result<std::optional<std::string>> word_of(const json::object& o, std::string_view key) {
    const auto* value = o.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        return failed(fault::kind::malformed, std::string{key} + " must be a string");
    }
    return std::string{value->get_string()};
}

result<asked> asked_of(const json::object& o) {
    const auto outcome_name = word_of(o, "outcome");
    const auto segment = word_of(o, "segment");
    const auto channel = word_of(o, "channel");
    for (const auto* word : {&outcome_name, &segment, &channel}) {
        if (!*word) {
            return failed(word->error());
        }
    }
    const auto known = *outcome_name ? outcome_from(**outcome_name) : outcome::all;
    if (!known) {
        return failed(fault::kind::malformed, "outcome must be reached, failed, in-doubt, unreachable or all");
    }
    asked out{.terms = {.outcome = *known, .segment = segment->value_or(std::string{})}};
    if (*channel && !(out.terms.channel = base::channel_from(**channel))) {
        return failed(fault::kind::malformed, "channel must be email, push or sms");
    }
    // Whoever asks for the people without an address knows that they have none.
    out.accept_unreachable = out.terms.outcome == outcome::unreachable;
    if (const auto* accept = o.if_contains("accept_unreachable"); accept != nullptr && !accept->is_null()) {
        if (!accept->is_bool()) {
            return failed(fault::kind::malformed, "accept_unreachable must be true or false");
        }
        out.accept_unreachable = out.accept_unreachable || accept->get_bool();
    }
    return out;
}

/// The campaign that is followed, and what its ledger says.
struct followed {
    v1::Campaign campaign;
    coverage lines;
    std::int64_t to_come = 0;
};

std::optional<followed> look_at(pqxx::connection& connection, const std::string& id) {
    pqxx::work tx{connection};
    auto parent = store::read_campaign(tx, id);
    if (!parent) {
        return std::nullopt;
    }
    const auto lines = read_coverage(tx, *parent);
    const auto to_come = read_released(tx, *parent).to_come();
    return followed{.campaign = std::move(*parent), .lines = lines, .to_come = to_come};
}

/// Both are about what the first was about; and a phone number without a country code is read as it was then.
result<void> inherit(json::object& body, const v1::Campaign& parent) {
    const auto incident = word_of(body, "incident");
    if (!incident) {
        return failed(incident.error());
    }
    const auto about = incident->value_or(std::string{});
    if (!about.empty() && !parent.incident().empty() && about != parent.incident()) {
        return failed(
            fault::kind::permanent,
            fmt::format("campaign {} is about the incident {}, and so is what follows it: leave incident out, "
                        "or make a campaign of its own",
                        parent.id(), parent.incident()));
    }
    if (about.empty()) {
        body["incident"] = parent.incident();
    }
    if (!body.contains("default_region")) {
        body["default_region"] = parent.default_region();
    }
    return {};
}

void set_follow_up(draft& d, const followed& parent, const follow_up_terms& terms) {
    auto& f = *d.campaign.mutable_follow_up();
    f.set_of(parent.campaign.id());
    f.set_root(parent.campaign.has_follow_up() ? parent.campaign.follow_up().root() : parent.campaign.id());
    f.set_outcome(std::string{to_string(terms.outcome)});
    f.set_segment(terms.segment);
    if (terms.channel) {
        f.set_channel(wire::to_proto(*terms.channel));
    }
    if (parent.to_come > 0) {
        d.warnings.push_back(fmt::format("{} rows of {} are not released yet, and nobody knows whose they are: those "
                                         "people are not told by this follow-up",
                                         parent.to_come, parent.campaign.id()));
    }
}

asio::awaitable<http::response> store_draft(services& s, draft d, json::object frozen, user who) {
    auto made = told_of(d);
    made["follow_up"] = to_json(d.campaign.follow_up());
    const auto id = d.campaign.id();
    const auto of = d.campaign.follow_up().of();
    const auto partitions = s.topics.events;
    auto insert = [d = std::move(d), frozen = std::move(frozen), who, partitions](pqxx::connection& c) {
        pqxx::work tx{c};
        store::insert_campaign(tx, d.campaign, d.notice, who.name);
        const auto upload = store::begin_freeze(tx, d.campaign.id(), json::serialize(frozen));
        const auto what = fmt::format("created as a follow-up of {}: {}", d.campaign.follow_up().of(),
                                      in_words(terms_of(d.campaign.follow_up())));
        store::enqueue_event(tx, operator_event(d.campaign, who, what), partitions);
        tx.commit();
        return upload;
    };
    const auto upload = co_await s.db.run(std::move(insert));
    made["upload"] = upload;
    s.outbox.notify();
    telemetry::log().info("campaign.created", {{"campaign", id}, {"by", who.name}, {"follow_up_of", of}});
    co_return answer(made, 201);
}

asio::awaitable<http::response> create(services& s, http::request& r, user who) {
    const auto id = r.parameter("id");
    auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto wish = asked_of(*body);
    if (!wish) {
        co_return http::problem(wish.error());
    }
    const auto parent = co_await s.db.run([id](pqxx::connection& c) { return look_at(c, id); });
    if (!parent) {
        co_return not_found(id);
    }
    if (const auto key = s.keys.unwrap(parent->campaign.wrapped_key(), base::campaign_id{id}); !key) {
        co_return http::problem(410, key.error().why(),
                                "nobody can read any more whom it told; make a campaign and add the people with "
                                "`semel audience add`");
    }
    if (const auto same = inherit(*body, parent->campaign); !same) {
        co_return http::problem(same.error());
    }
    // On a thread of its own: what is checked comes from outside, and others wait for this one.
    auto d = co_await runtime::on_thread(s.disk, [o = std::move(*body), kek = s.keys] { return draft_of(o, kek); });
    if (!d) {
        co_return http::problem(d.error());
    }
    // Last: what nobody could mean is said before what only cannot be done now.
    if (const auto may = may_follow(parent->campaign, parent->lines, wish->terms); !may) {
        co_return refused(may.error());
    }
    set_follow_up(*d, *parent, wish->terms);
    auto frozen = to_json(d->campaign.follow_up());
    frozen["accept_unreachable"] = wish->accept_unreachable;
    co_return co_await store_draft(s, std::move(*d), std::move(frozen), std::move(who));
}

} // namespace

json::value follow_up_of(pqxx::work& tx, const v1::Campaign& c) {
    if (!c.has_follow_up()) {
        return nullptr;
    }
    auto out = to_json(c.follow_up());
    for (const auto& upload : store::frozen_uploads(tx, c.id())) {
        const auto frozen = json::read(upload.frozen);
        if (frozen && frozen->is_object()) {
            for (const auto& [key, value] : frozen->get_object()) {
                out[key] = value;
            }
        }
        out["state"] = upload.state;
        if (!upload.reason.empty()) {
            out["reason"] = upload.reason;
        }
    }
    return out;
}

void add_follow_up_routes(guarded_routes& all, services& s) {
    all.add("POST", "/v1/campaigns/{id}/follow-ups", access::step::create_campaign,
            [&s](http::request& r, user who) { return create(s, r, std::move(who)); });
}

} // namespace semel::api
