#include "campaigns.hpp"

#include "api.hpp"

#include <address/address.hpp>
#include <base/time.hpp>
#include <base/written_time.hpp>
#include <crypto/keys.hpp>
#include <notice/check.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>

#include <api/core/deadline.hpp>
#include <api/core/settings.hpp>
#include <fmt/format.h>

#include <set>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::size_t longest_name = 200;
constexpr std::int64_t most_canary_rows = 1'000'000'000;
constexpr std::uint32_t usual_least_outcomes = 100;
constexpr int most_resends = 10; // each may be one more copy for somebody who has one

result<std::string> text_of(const json::object& o, std::string_view key, std::string otherwise = {}) {
    const auto* value = o.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return otherwise;
    }
    if (!value->is_string()) {
        return failed(fault::kind::malformed, std::string{key} + " must be a string");
    }
    return std::string{value->as_string()};
}

result<notice::files> files_of(const json::object& o) {
    const auto* value = o.if_contains("notice");
    if (value == nullptr || !value->is_object()) {
        return failed(fault::kind::malformed, "notice must be an object of file name to base64");
    }
    notice::files files;
    for (const auto& [name, content] : value->as_object()) {
        const auto bytes = content.is_string() ? base::from_base64(content.as_string()) : std::nullopt;
        if (!bytes) {
            return failed(fault::kind::malformed, "notice." + std::string{name} + " must be base64");
        }
        files.emplace(std::string{name}, *bytes);
    }
    if (const auto within = notice::check_limits(files); !within) {
        return failed(within.error());
    }
    return files;
}

result<base::timestamp> time_of(const json::object& o, std::string_view key) {
    const auto text = text_of(o, key);
    if (!text) {
        return failed(text.error());
    }
    if (text->empty()) {
        return base::timestamp{};
    }
    const auto t = base::from_rfc3339(*text);
    if (!t) {
        return failed(fault::kind::malformed,
                      fmt::format("{}: \"{}\" is not a time: {}", key, *text, base::trouble_with_rfc3339(*text)));
    }
    return *t;
}

result<void> set_channels(v1::Campaign& c, const json::object& o, const notice::notice_source& source) {
    std::set<base::channel> wanted{source.channels.begin(), source.channels.end()};
    if (const auto* list = o.if_contains("channels"); list != nullptr && !list->is_null()) {
        if (!list->is_array() || list->as_array().empty()) {
            return failed(fault::kind::malformed, "channels must be a list with some of email, push, sms");
        }
        wanted.clear();
        for (const auto& name : list->as_array()) {
            const auto channel = name.is_string() ? base::channel_from(name.as_string()) : std::nullopt;
            if (!channel) {
                return failed(fault::kind::malformed, "channels: one of email, push, sms is meant");
            }
            if (std::ranges::find(source.channels, *channel) == source.channels.end()) {
                return failed(fault::kind::permanent,
                              fmt::format("the notice has no text for {}; write {}.LOCALE.* or leave the channel out",
                                          base::to_string(*channel), base::to_string(*channel)));
            }
            wanted.insert(*channel);
        }
    }
    for (const auto channel : wanted) {
        c.add_channels(wire::to_proto(channel));
    }
    return {};
}

result<void> set_policies(v1::Campaign& c, const json::object& o) {
    const auto dedup = text_of(o, "dedup", "address");
    const auto doubt = text_of(o, "in_doubt", "resend");
    const auto after = text_of(o, "in_doubt_after", "30m");
    if (!dedup || !doubt || !after) {
        return failed(!dedup ? dedup.error() : !doubt ? doubt.error() : after.error());
    }
    if (*dedup != "address" && *dedup != "account") {
        return failed(fault::kind::malformed, "dedup must be address or account");
    }
    c.set_dedup(*dedup == "account" ? v1::DEDUP_ACCOUNT : v1::DEDUP_ADDRESS);
    if (*doubt == "resend") {
        c.set_in_doubt(v1::DOUBT_RESEND);
    } else if (*doubt == "hold") {
        c.set_in_doubt(v1::DOUBT_HOLD);
    } else if (*doubt == "presume-sent") {
        c.set_in_doubt(v1::DOUBT_PRESUME_SENT);
    } else {
        return failed(fault::kind::malformed, "in_doubt must be resend, hold or presume-sent");
    }
    const auto wait = base::parse_duration(*after);
    if (!wait || *wait < std::chrono::seconds{1}) {
        return failed(fault::kind::malformed, "in_doubt_after: write a duration such as 30m, at least 1s");
    }
    c.set_in_doubt_after_s(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(*wait).count()));
    if (const auto* resends = o.if_contains("resends"); resends != nullptr) {
        if (!resends->is_int64() || resends->as_int64() < 0 || resends->as_int64() > most_resends) {
            return failed(fault::kind::malformed,
                          fmt::format("resends must be a whole number up to {}: how often the policy resend sends one "
                                      "message again",
                                      most_resends));
        }
        c.set_resends(static_cast<std::uint32_t>(resends->as_int64()));
    }
    const auto deadline = time_of(o, "deadline");
    const auto start = time_of(o, "start");
    if (!deadline || !start) {
        return failed(!deadline ? deadline.error() : start.error());
    }
    c.set_deadline_us(base::to_us(*deadline));
    c.set_start_us(base::to_us(*start));
    if (const auto* rate = o.if_contains("rate_per_s"); rate != nullptr) {
        if (!rate->is_int64() || rate->as_int64() < 0 || rate->as_int64() > 1'000'000) {
            return failed(fault::kind::malformed, "rate_per_s must be a whole number up to 1000000");
        }
        c.set_rate_per_s(static_cast<std::uint32_t>(rate->as_int64()));
    }
    return {};
}

/// {"canary": 1000, "halt": {"above_percent": 5, "least_outcomes": 200}}; each may be missing.
result<void> set_brakes(v1::Campaign& c, const json::object& o) {
    if (const auto* canary = o.if_contains("canary"); canary != nullptr && !canary->is_null()) {
        if (!canary->is_int64() || canary->as_int64() < 1 || canary->as_int64() > most_canary_rows) {
            return failed(fault::kind::malformed,
                          fmt::format("canary must be a whole number up to {}: how many rows are released before an "
                                      "operator lets the rest go",
                                      most_canary_rows));
        }
        c.mutable_canary()->set_rows(static_cast<std::uint32_t>(canary->as_int64()));
    }
    const auto* halt = o.if_contains("halt");
    if (halt == nullptr || halt->is_null()) {
        return {};
    }
    const auto* rule = halt->if_object();
    const auto* percent = rule == nullptr ? nullptr : rule->if_contains("above_percent");
    if (percent == nullptr || !percent->is_number() || !(percent->to_number<double>() > 0) ||
        percent->to_number<double>() >= 100) {
        return failed(fault::kind::malformed,
                      "halt must be an object with above_percent, a number between 0 and 100: the campaign pauses when "
                      "more of the outcomes of a channel are failures");
    }
    c.mutable_halt()->set_above_percent(percent->to_number<double>());
    const auto* least = rule->if_contains("least_outcomes");
    if (least != nullptr && (!least->is_int64() || least->as_int64() < 1 || least->as_int64() > most_canary_rows)) {
        return failed(fault::kind::malformed,
                      fmt::format("halt.least_outcomes must be a whole number up to {}: by fewer outcomes of a channel "
                                  "nothing is judged",
                                  most_canary_rows));
    }
    c.mutable_halt()->set_least_outcomes(least == nullptr ? usual_least_outcomes
                                                          : static_cast<std::uint32_t>(least->as_int64()));
    return {};
}

result<void> set_warnings(draft& d, const notice::checked& checked) {
    std::string errors;
    for (const auto& problem : checked.problems) {
        if (problem.how_bad == notice::severity::error) {
            errors += "\n" + notice::to_text(problem);
        } else {
            d.warnings.push_back(notice::to_text(problem));
        }
    }
    if (!checked.ok()) {
        return failed(fault::kind::permanent, "the notice cannot be sent as it is:" + errors);
    }
    return {};
}

/// What the campaign takes from its notice, and the notice itself.
void set_notice(draft& d, const notice::files& files, const notice::notice_source& source) {
    auto& c = d.campaign;
    const auto digest = notice::digest_of(files);
    c.set_notice_digest(std::string{base::as_view(digest)});
    c.set_default_locale(source.default_locale);
    for (const auto& [from, to] : source.fallback) {
        (*c.mutable_locale_fallback())[from] = to;
    }
    for (const auto& segment : source.segments) {
        c.add_segment_names(segment);
    }
    for (const auto& locale : source.locales) {
        c.add_locales(locale);
    }
    d.notice.set_digest(c.notice_digest());
    d.notice.set_campaign_id(c.id());
    for (const auto& [file, bytes] : files) {
        (*d.notice.mutable_files())[file] = bytes;
    }
}

/// The default deadline, and whether deadline, start and law fit together.
result<void> set_times(draft& d, const notice::notice_source& source, base::timestamp now) {
    auto& c = d.campaign;
    set_default_deadline(c, source, now);
    if (const auto late = legal_warning(source, c, now)) {
        d.warnings.push_back(notice::to_text({.file = "notice.yaml",
                                              .line = source.jurisdictions_line,
                                              .how_bad = notice::severity::warning,
                                              .id = "legal-deadline",
                                              .reason = *late,
                                              .mend = "launch as soon as you can; --deadline says when to give up"}));
    }
    const auto judged = judge_settings(c, now);
    if (!judged) {
        return failed(judged.error());
    }
    d.warnings.insert(d.warnings.end(), judged->begin(), judged->end());
    return {};
}

} // namespace

result<draft> draft_of(const json::object& o, const crypto::key_ring& kek) {
    const auto name = text_of(o, "name");
    const auto incident = text_of(o, "incident");
    const auto region = text_of(o, "default_region", "KR");
    const auto files = files_of(o);
    for (const auto* f : {name ? nullptr : &name.error(), incident ? nullptr : &incident.error(),
                          region ? nullptr : &region.error(), files ? nullptr : &files.error()}) {
        if (f != nullptr) {
            return failed(*f);
        }
    }
    if (name->empty() || name->size() > longest_name || incident->size() > longest_name) {
        return failed(fault::kind::malformed,
                      fmt::format("a campaign needs a name; it and the incident have at most {} bytes", longest_name));
    }
    if (!address::is_known_region(*region)) {
        return failed(fault::kind::malformed, "default_region must be the country code of national phone numbers, "
                                              "such as KR");
    }
    const auto checked = notice::check(*files);
    draft d;
    if (const auto ok = set_warnings(d, checked); !ok) {
        return failed(ok.error());
    }
    auto& c = d.campaign;
    const auto id = crypto::new_campaign_id();
    c.set_id(id.value());
    c.set_version(1);
    c.set_phase(v1::CAMPAIGN_DRAFT);
    c.set_name(*name);
    c.set_incident(*incident);
    c.set_default_region(*region);
    c.set_wrapped_key(kek.wrap(crypto::campaign_key::random(), id));
    set_notice(d, *files, checked.source);
    if (const auto ok = set_channels(c, o, checked.source); !ok) {
        return failed(ok.error());
    }
    if (const auto ok = set_policies(c, o); !ok) {
        return failed(ok.error());
    }
    if (const auto ok = set_brakes(c, o); !ok) {
        return failed(ok.error());
    }
    if (const auto ok = set_times(d, checked.source, base::now()); !ok) {
        return failed(ok.error());
    }
    return d;
}

json::object told_of(const draft& d) {
    json::array warnings;
    for (const auto& w : d.warnings) {
        warnings.emplace_back(w);
    }
    return {{"id", d.campaign.id()},
            {"warnings", std::move(warnings)},
            {"deadline", base::to_rfc3339(base::from_us(d.campaign.deadline_us()))},
            {"deadline_basis", d.campaign.deadline_basis()}};
}

namespace {

asio::awaitable<http::response> create(services& s, http::request& r, user who) {
    auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    if (body->contains("cascade")) {
        co_return http::problem(422, "cascade is not supported by this version",
                                "leave it out; name the channels with `channels`");
    }
    for (const auto* of_another : {"follow_up_of", "outcome"}) {
        if (body->contains(of_another)) {
            co_return http::problem(422, std::string{of_another} + " is not of a campaign that stands alone",
                                    "POST /v1/campaigns/{id}/follow-ups makes a follow-up of {id}");
        }
    }
    // On a thread of its own: what is checked comes from outside, and others wait for this one.
    auto d = co_await runtime::on_thread(s.disk, [o = std::move(*body), kek = s.keys] { return draft_of(o, kek); });
    if (!d) {
        co_return http::problem(d.error());
    }
    const auto id = d->campaign.id();
    const auto made = told_of(*d);
    const auto partitions = s.topics.events;
    co_await s.db.run([draft = std::move(*d), who, partitions](pqxx::connection& c) {
        pqxx::work tx{c};
        store::insert_campaign(tx, draft.campaign, draft.notice, who.name);
        store::enqueue_event(tx, operator_event(draft.campaign, who, "created"), partitions);
        tx.commit();
    });
    s.outbox.notify();
    telemetry::log().info("campaign.created", {{"campaign", id}, {"by", who.name}});
    co_return answer(made, 201);
}

} // namespace

void add_campaign_routes(guarded_routes& all, services& s) {
    all.add("POST", "/v1/campaigns", access::step::create_campaign,
            [&s](http::request& r, user who) { return create(s, r, std::move(who)); });
    all.add("GET", "/v1/campaigns", access::step::read_campaigns,
            [&s](http::request&, user) -> asio::awaitable<http::response> {
                const auto list = co_await s.db.run([](pqxx::connection& c) {
                    pqxx::work tx{c};
                    return store::all_campaigns(tx);
                });
                json::array out;
                for (const auto& c : list) {
                    out.push_back(json::object{{"id", c.id()},
                                               {"name", c.name()},
                                               {"incident", c.incident()},
                                               {"state", to_string(c.phase())},
                                               {"waves", c.waves_size()}});
                }
                co_return answer(out);
            });
}

} // namespace semel::api
