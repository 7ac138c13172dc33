// The test of a campaign: its notice, marked as a test, to a few named addresses before anybody else gets it.

#include "api.hpp"

#include <audience/decoder.hpp>
#include <audience/import.hpp>
#include <base/time.hpp>
#include <crypto/keys.hpp>
#include <notice/locale.hpp>
#include <notice/source.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <api/edge/test_addresses.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::uint64_t most_rows = 50;
constexpr std::uint64_t most_decoded_bytes = 1 << 20; // bytes: the file is read while the campaign is held
constexpr auto patience = std::chrono::minutes{10};   // a test that comes later than that helps nobody

struct trial {
    std::vector<v1::Dispatch> messages;
    std::vector<audience::reject> rejects;
};

/// Names this one message: in a domain of its own, so that it can never be the id of a real message, and with the
/// request's nonce, because a second test is meant to arrive.
base::notification_id test_id(const v1::Campaign& c, const crypto::campaign_key& key, base::channel channel,
                              const std::string& nonce, const std::string& canonical) {
    const auto domain = fmt::format("test+{}+{}", base::to_string(channel), nonce);
    return wire::notification_id_of(base::campaign_id{c.id()}, channel, crypto::keyed_hash(key, domain, canonical));
}

result<std::string> artifact_for(const v1::Campaign& c, const v1::Recipient& person, v1::Channel channel) {
    const auto ref = std::ranges::find_if(c.artifacts(), [&](const v1::ArtifactRef& a) {
        return a.locale() == person.locale() && a.channel() == channel && a.segments() == person.segments() &&
               !a.supplement();
    });
    if (ref == c.artifacts().end()) {
        return failed(fault::kind::broken, fmt::format("the notice was not compiled for locale {}", person.locale()));
    }
    return ref->artifact();
}

/// What all messages of one test have in common.
struct occasion {
    const v1::Campaign& campaign;
    const crypto::campaign_key& key;
    const test_addresses& listed;
    std::string nonce = crypto::new_campaign_id().value(); // as unguessable as an id, and never one
    base::timestamp now = base::now();
    std::set<base::notification_id> seen = {};
};

result<void> add_messages(trial& to, occasion& o, const v1::Recipient& person, std::uint64_t line) {
    const auto& c = o.campaign;
    for (const auto& address : person.addresses()) {
        const auto channel = wire::from_proto(address.channel());
        if (!channel || std::ranges::find(c.channels(), static_cast<int>(address.channel())) == c.channels().end()) {
            continue;
        }
        if (!o.listed.has(*channel, address.canonical())) {
            to.rejects.push_back({.line = line,
                                  .column = std::string{base::to_string(*channel)},
                                  .reason = "it is not on the list of test addresses: an approver adds it (`semel "
                                            "test-address add`)"});
            continue;
        }
        const auto id = test_id(c, o.key, *channel, o.nonce, address.canonical());
        if (!o.seen.insert(id).second) {
            continue; // two rows with one address
        }
        const auto artifact = artifact_for(c, person, address.channel());
        if (!artifact) {
            return failed(artifact.error());
        }
        v1::Delivery delivery;
        *delivery.mutable_address() = address;
        delivery.set_recipient_id(person.recipient_id());
        delivery.set_name(person.name());
        *delivery.mutable_slots() = person.slots();

        auto& d = to.messages.emplace_back();
        d.set_campaign_id(c.id());
        d.set_notification(std::string{base::as_view(id)});
        d.set_channel(address.channel());
        d.set_attempt(1);
        d.set_artifact(*artifact);
        d.set_planned_at_us(base::to_us(o.now));
        d.set_give_up_us(base::to_us(o.now + patience));
        d.set_test(true);
        d.set_sealed(wire::seal_delivery(o.key, d.notification(), delivery));
    }
    return {};
}

audience::terms terms_of(const v1::Campaign& c, const v1::NoticeSource& source) {
    audience::terms terms;
    terms.default_region = c.default_region();
    terms.segment_names = {c.segment_names().begin(), c.segment_names().end()};
    for (const auto& [slot, definition] : notice::parse({source.files().begin(), source.files().end()}).source.slots) {
        terms.slot_names.push_back(slot);
    }
    terms.channels = audience::channels_of(c.channels());
    terms.locale = [locales = std::vector<std::string>{c.locales().begin(), c.locales().end()},
                    fallback =
                        std::map<std::string, std::string>{c.locale_fallback().begin(), c.locale_fallback().end()},
                    otherwise = c.default_locale()](std::string_view wanted) {
        return notice::resolve_locale(wanted, locales, fallback, otherwise);
    };
    return terms;
}

result<trial> trial_of(occasion o, const v1::NoticeSource& source, const std::string& file, audience::format format) {
    audience::decoder decoded{[rest = std::string_view{file}]() mutable -> result<std::string_view> {
                                  return std::exchange(rest, std::string_view{});
                              },
                              most_decoded_bytes};
    audience::importer rows{[&decoded] { return decoded.next(); }, format, terms_of(o.campaign, source)};
    trial out;
    for (;;) {
        v1::Recipient person;
        const auto step = rows.next(person);
        if (!step) {
            return failed(step.error());
        }
        if (*step == audience::importer::step::end) {
            break;
        }
        if (rows.totals().rows > most_rows) {
            return failed(fault::kind::malformed,
                          fmt::format("a test goes to at most {} rows; the audience itself is added with `semel "
                                      "audience add`",
                                      most_rows));
        }
        out.rejects.insert(out.rejects.end(), rows.rejects().begin(), rows.rejects().end());
        if (*step == audience::importer::step::recipient) {
            if (const auto ok = add_messages(out, o, person, rows.line()); !ok) {
                return failed(ok.error());
            }
        }
    }
    if (out.messages.empty()) {
        return failed(fault::kind::malformed, out.rejects.empty()
                                                  ? std::string{"the file names no address on the campaign's channels"}
                                                  : fmt::format("the file names no usable address; line {}: {}",
                                                                out.rejects.front().line, out.rejects.front().reason));
    }
    return out;
}

/// So many messages went out as tests of this campaign since midnight (UTC).
std::uint64_t sent_today(pqxx::work& tx, const std::string& campaign) {
    return tx
        .exec_params1("SELECT count(*) FROM api.trials WHERE campaign = $1 AND at >= date_trunc('day', now() AT "
                      "TIME ZONE 'UTC') AT TIME ZONE 'UTC'",
                      campaign)[0]
        .as<std::uint64_t>();
}

/// That it was asked for, by whom; what becomes of it is told under the same notification.
v1::Event asked_for(const v1::Dispatch& d, const user& who) {
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_OPERATOR, d.notification(), 0, "test"));
    e.set_kind(v1::EVENT_OPERATOR);
    e.set_campaign_id(d.campaign_id());
    e.set_time_us(d.planned_at_us());
    e.set_notification(d.notification());
    e.set_channel(d.channel());
    e.set_text("test message");
    e.set_actor(who.name);
    e.set_test(true);
    return e;
}

http::response send(pqxx::work& tx, const v1::Campaign& c, const trial& t, const user& who, const topic_sizes& topics) {
    std::map<std::string, std::uint64_t> by_channel;
    for (const auto& d : t.messages) {
        const auto channel = wire::from_proto(d.channel()).value();
        store::enqueue(tx, wire::dispatch(channel), base::partition_of(d.notification(), topics.dispatch.at(channel)),
                       d.notification(), d.SerializeAsString());
        tx.exec_params0("INSERT INTO api.trials (campaign, notification) VALUES ($1, $2)", c.id(),
                        pqxx::binarystring{d.notification()});
        store::enqueue_event(tx, asked_for(d, who), topics.events);
        ++by_channel[std::string{base::to_string(channel)}];
    }
    auto event = operator_event(c, who, fmt::format("test of {} messages", t.messages.size()));
    event.set_id(wire::event_id(v1::EVENT_OPERATOR, c.id(), 0, "test|" + t.messages.front().notification()));
    store::enqueue_event(tx, event, topics.events);
    json::object channels;
    for (const auto& [channel, count] : by_channel) {
        channels[channel] = count;
    }
    json::array rejects;
    for (const auto& r : t.rejects) {
        rejects.push_back(json::object{{"line", r.line}, {"column", r.column}, {"reason", r.reason}});
    }
    return answer(json::object{{"id", c.id()},
                               {"messages", t.messages.size()},
                               {"channels", std::move(channels)},
                               {"rejects", std::move(rejects)}},
                  202);
}

asio::awaitable<http::response> test(services& s, http::request& r, user who) {
    const auto id = r.parameter("id");
    const auto format = audience::format_from(r.query_value("format", "csv"));
    if (!format) {
        co_return http::problem(400, "format must be csv or ndjson");
    }
    auto body = co_await r.body();
    if (!body) {
        co_return http::problem(body.error());
    }
    auto response = co_await s.db.run([id, who, file = std::move(*body), format = *format, kek = s.keys,
                                       topics = s.topics, &config = s.config](pqxx::connection& connection) {
        pqxx::work tx{connection};
        const auto c = store::lock_campaign(tx, id);
        if (!c) {
            return not_found(id);
        }
        if (c->phase() == v1::CAMPAIGN_CANCELLED) {
            return refused({fault::kind::permanent, "campaign " + id + " is cancelled"});
        }
        if (c->artifacts().empty()) {
            return refused({fault::kind::transient, "the notice of " + id + " is still being compiled; try again"});
        }
        const auto key = kek.unwrap(c->wrapped_key(), base::campaign_id{id});
        if (!key) {
            return http::problem(410, key.error().why(), "nothing can be sent for this campaign any more");
        }
        const auto listed = listed_test_addresses(tx, config, kek);
        const auto t =
            trial_of({.campaign = *c, .key = *key, .listed = listed}, store::notice_of(tx, id), file, format);
        if (!t) {
            return http::problem(t.error());
        }
        const auto before = sent_today(tx, id);
        if (before + t->messages.size() > config.tests.messages_a_day) {
            return refused({fault::kind::permanent,
                            fmt::format("{} test messages of {} went out today, and these are {} more: {} a day are "
                                        "allowed (tests.messages_a_day in semel.yaml)",
                                        before, id, t->messages.size(), config.tests.messages_a_day)});
        }
        auto out = send(tx, *c, *t, who, topics);
        tx.commit();
        return out;
    });
    if (response.status == 202) {
        s.outbox.notify();
        telemetry::log().info("campaign.tested", {{"campaign", id}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

void add_trial_routes(guarded_routes& all, services& s) {
    all.add("POST", "/v1/campaigns/{id}/test", access::step::send_test,
            [&s](http::request& r, user who) { return test(s, r, std::move(who)); });
}

} // namespace semel::api
