// What an approver looks at: the waves that wait, their counts, every text as people will see it, and the digests that
// an approval sends back. Needs no ledger: an approval is possible while it is away.

#include "api.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <crypto/key_ring.hpp>
#include <notice/check.hpp>
#include <notice/compile.hpp>
#include <notice/preview.hpp>
#include <notice/slots.hpp>
#include <wire/identity.hpp>

#include <api/edge/follow_ups.hpp>
#include <api/edge/reading.hpp>
#include <api/edge/rendering.hpp>
#include <api/edge/strict_headers.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace semel::api {

namespace {

json::array waves_waiting(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                          const std::vector<std::uint32_t>& waiting) {
    json::array out;
    for (const auto& wave : c.waves()) {
        const auto plan = plans.find(wave.number());
        if (std::ranges::find(waiting, wave.number()) == waiting.end() || plan == plans.end()) {
            continue;
        }
        json::object addresses;
        for (const auto& [channel, count] : plan->second.addresses) {
            addresses[channel] = count;
        }
        out.push_back(json::object{{"wave", wave.number()},
                                   {"rows", wave.rows()},
                                   {"rejected", wave.rejected()},
                                   {"sha256", base::to_hex(wave.file_digest())},
                                   {"recipients", plan->second.recipients},
                                   {"unreachable", plan->second.unreachable},
                                   {"addresses", std::move(addresses)}});
    }
    return out;
}

json::array findings_of(const std::vector<notice::problem>& problems, const accepted_findings& accepted) {
    json::array out;
    for (const auto& p : problems) {
        json::object one{{"rule", p.id},       {"severity", notice::to_string(p.how_bad)},
                         {"file", p.file},     {"line", p.line},
                         {"reason", p.reason}, {"mend", p.mend},
                         {"accepted", nullptr}};
        if (const auto found = accepted.find(p.id); p.how_bad == notice::severity::finding && found != accepted.end()) {
            one["accepted"] = found->second;
        }
        out.push_back(std::move(one));
    }
    return out;
}

using campaign_key = base::result<crypto::campaign_key>; // none: it was destroyed

/// As somebody gets it who has a name and no slots of their own.
base::result<notice::preview> preview_of(const v1::Campaign& c, const campaign_key& key, const v1::Artifact& a) {
    v1::Delivery delivery;
    delivery.mutable_address()->set_given(a.has_email() ? "recipient@example.com" : "RECIPIENT");
    return notice::render_preview(
        a, {.campaign = base::campaign_id{c.id()},
            .notification = {},
            .planned_at = base::now(),
            .delivery = &delivery,
            .test = false,
            .give_up = std::nullopt,
            .verification = key ? verification_of(c, *key, a) : std::string{notice::verification_sample}});
}

json::object text_of(const v1::Campaign& c, const campaign_key& key, const notice::notice_source& source,
                     const notice::compiled& compiled) {
    const auto& a = compiled.artifact;
    const auto channel = a.has_email() ? base::channel::email : a.has_push() ? base::channel::push : base::channel::sms;
    json::array segments;
    for (std::size_t i = 0; i < source.segments.size(); ++i) {
        if ((a.segments() >> i & 1U) != 0) {
            segments.emplace_back(source.segments[i]);
        }
    }
    json::object out{{"channel", base::to_string(channel)},
                     {"locale", a.locale()},
                     {"segments", std::move(segments)},
                     {"supplement", a.supplement()},
                     {"sha256", base::to_hex(compiled.ref.artifact())}};
    const auto shown = preview_of(c, key, a);
    json::object files;
    if (shown) {
        for (const auto& file : shown->files) {
            files[file.name] = file.bytes;
        }
    }
    out["summary"] = shown ? shown->summary : shown.error().why();
    out["files"] = std::move(files);
    return out;
}

campaign_key key_of(const crypto::key_ring& keys, const v1::Campaign& c) {
    return keys.unwrap(c.wrapped_key(), base::campaign_id{c.id()});
}

json::object sight_to_json(const sight& seen) {
    return {{"notice", base::to_hex(seen.notice)},
            {"audience", base::to_hex(seen.audience)},
            {"plan", base::to_hex(seen.plan)}};
}

/// What came in between, for who has a digest that was shown before; null where it is this one, or nobody can say.
json::value changed_since(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                          const std::string& digest, const approvable& now) {
    const auto shown = base::from_hex(digest);
    const auto words = shown ? came_between(c, plans, *shown, now) : std::string{};
    return words.empty() ? json::value(nullptr) : json::value(json::string(words));
}

http::response show(pqxx::work& tx, const v1::Campaign& c, const campaign_key& key, const user& who,
                    const std::string& shown_before) {
    const auto plans = store::read_plans(tx, c.id());
    const auto approvals = store::read_approvals(tx, c.id());
    const auto waiting = what_to_approve(c, plans, approvals);
    if (!waiting) {
        return refused(waiting.error());
    }
    const auto stored = store::notice_of(tx, c.id());
    const notice::files files{stored.files().begin(), stored.files().end()};
    const auto checked = notice::check(files);
    json::array texts;
    for (const auto& one : notice::compile(checked.source, notice::digest_of(files))) {
        texts.push_back(text_of(c, key, checked.source, one));
    }
    const auto creator = store::creator_of(tx, c.id());
    const auto may = may_approve(c, creator, who);
    return answer(
        json::object{{"id", c.id()},
                     {"name", c.name()},
                     {"state", to_string(c.phase())},
                     {"creator", creator},
                     {"refusal", may ? json::value(nullptr) : json::value(may.error().why())},
                     {"follow_up", follow_up_of(tx, c)},
                     {"waves", waves_waiting(c, plans, waiting->waves)},
                     {"seen", sight_to_json(waiting->shown)},
                     {"digest", base::to_hex(digest_of(waiting->shown))},
                     {"changed", changed_since(c, plans, shown_before, *waiting)},
                     {"findings", findings_of(checked.problems,
                                              approvals.empty() ? accepted_findings{} : approvals.front().accepted)},
                     {"texts", std::move(texts)}});
}

/// One mail as mail programs show it: a page of its own, for a frame that lets it do nothing.
http::response mail(pqxx::work& tx, const v1::Campaign& c, const campaign_key& key, const std::string& sha256) {
    const auto stored = store::notice_of(tx, c.id());
    const notice::files files{stored.files().begin(), stored.files().end()};
    for (const auto& one : notice::compile(notice::parse(files).source, notice::digest_of(files))) {
        if (!one.artifact.has_email() || base::to_hex(one.ref.artifact()) != sha256) {
            continue;
        }
        const auto shown = preview_of(c, key, one.artifact);
        if (!shown) {
            return http::problem(shown.error());
        }
        for (const auto& file : shown->files) {
            if (file.name == "message.html") {
                http::response page{.body = file.bytes, .content_type = "text/html; charset=utf-8"};
                as_preview(page);
                return page;
            }
        }
    }
    return http::problem(404, "this campaign has no such mail", "GET .../approval lists its texts by their sha256");
}

} // namespace

void add_approval_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/campaigns/{id}/approval", access::step::read_campaigns, [&s](http::request& r, user who) {
        return read(s, r.parameter("id"),
                    [keys = s.keys, who = std::move(who), before = std::string{r.query_value("shown")}](
                        pqxx::work& tx, const v1::Campaign& c) { return show(tx, c, key_of(keys, c), who, before); });
    });
    all.add("GET", "/v1/campaigns/{id}/mails/{sha256}", access::step::read_campaigns, [&s](http::request& r, user) {
        return read(s, r.parameter("id"),
                    [keys = s.keys, sha256 = r.parameter("sha256")](pqxx::work& tx, const v1::Campaign& c) {
                        return mail(tx, c, key_of(keys, c), sha256);
                    });
    });
}

} // namespace semel::api
