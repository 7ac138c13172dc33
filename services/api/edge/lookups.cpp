#include "lookups.hpp"

#include <base/bytes.hpp>
#include <crypto/keys.hpp>
#include <http/url.hpp>

#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::int64_t usual_page = 100;
constexpr std::int64_t largest_page = 1'000;

/// A page of the record, the latest first.
struct page {
    std::string campaign, user; // empty: all
    std::string recipient_ref;
    std::int64_t before = 0; // a number of the record; 0: from the latest
    std::int64_t limit = usual_page;
};

result<std::string> text_in(const http::request& r, std::string_view header) {
    const auto text = http::percent_decode(r.header(header));
    // PostgreSQL keeps UTF-8 alone, and so does JSON.
    if (!text || !json::read(json::serialize(json::value(*text)))) {
        return failed(fault::kind::malformed, fmt::format("the header {} must be percent-encoded UTF-8", header));
    }
    return *text;
}

result<std::int64_t> number_or(std::string_view text, std::string_view name, std::int64_t otherwise,
                               std::int64_t largest) {
    if (text.empty()) {
        return otherwise;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > largest) {
        return failed(fault::kind::malformed, fmt::format("{} must be a number from 1 to {}", name, largest));
    }
    return number;
}

result<page> page_of(const http::request& r) {
    const auto before = number_or(r.query_value("before"), "before", 0, std::numeric_limits<std::int64_t>::max());
    const auto limit = number_or(r.query_value("limit"), "limit", usual_page, largest_page);
    if (!before || !limit) {
        return failed(before ? limit.error() : before.error());
    }
    return page{.campaign = std::string{r.query_value("campaign")},
                .user = std::string{r.query_value("user")},
                .recipient_ref = {},
                .before = *before,
                .limit = *limit};
}

pqxx::binarystring bytes(std::string_view s) {
    return pqxx::binarystring{s.data(), s.size()};
}

http::response list(pqxx::work& tx, const page& wanted) {
    json::array out;
    json::value next;
    for (const auto& row : tx.exec_params(
             "SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS time, actor, peer, "
             "what, campaign, recipient_ref, people, reason, case_number "
             "FROM ledger.lookups_before($1, $2, $3, $4, $5)",
             wanted.campaign, wanted.user, bytes(wanted.recipient_ref), wanted.before, wanted.limit)) {
        const auto ref = blob(row["recipient_ref"]);
        out.push_back(json::object{
            {"number", row["number"].as<std::int64_t>()},
            {"time", text(row["time"])},
            {"user", text(row["actor"])},
            {"from", text(row["peer"])},
            {"what", text(row["what"])},
            {"campaign", text(row["campaign"])},
            {"recipient", ref.empty() ? json::value(nullptr) : json::value(json::string(base::to_hex(ref)))},
            {"people", row["people"].as<std::int64_t>()},
            {"reason", text(row["reason"])},
            {"case", text(row["case_number"])}});
        next = row["number"].as<std::int64_t>();
    }
    if (static_cast<std::int64_t>(out.size()) < wanted.limit) {
        next = nullptr;
    }
    return answer(json::object{{"lookups", std::move(out)}, {"next", std::move(next)}});
}

asio::awaitable<http::response> list_all(services& s, http::request& r) {
    const auto wanted = page_of(r);
    if (!wanted) {
        co_return http::problem(wanted.error());
    }
    co_return co_await s.db.run([wanted = *wanted](pqxx::connection& connection) {
        pqxx::work tx{connection};
        return list(tx, wanted);
    });
}

/// Who looked at one person: asked with a body, so that the id is in no log of URLs.
asio::awaitable<http::response> list_of_person(services& s, http::request& r) {
    auto wanted = page_of(r);
    const auto body = co_await read_object(r);
    if (!wanted || !body) {
        co_return http::problem(wanted ? body.error() : wanted.error());
    }
    const auto* recipient = json::find_text(*body, "recipient_id");
    if (recipient == nullptr || recipient->empty()) {
        co_return http::problem(400, "recipient_id must be a string");
    }
    wanted->campaign = r.parameter("id");
    co_return co_await read(s, r.parameter("id"),
                            with_key(s, [wanted = *wanted, id = std::string{*recipient}](
                                            pqxx::work& tx, const v1::Campaign&, const crypto::campaign_key& key) {
                                auto of_person = wanted;
                                const auto ref = crypto::recipient_ref_of(key, base::recipient_id{id});
                                of_person.recipient_ref = std::string{base::as_view(ref)};
                                return list(tx, of_person);
                            }));
}

} // namespace

lookup look_of(const http::request& r, const user& who, looked_at what, purpose why) {
    return {.by = who.name, .from = r.peer, .what = what, .campaign = r.parameter("id"), .why = std::move(why)};
}

void note(pqxx::work& tx, const lookup& look) {
    tx.exec_params0("INSERT INTO ledger.lookups (actor, peer, what, campaign, recipient_ref, people, reason, "
                    "case_number) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    look.by, look.from, std::string{to_string(look.what)}, look.campaign, bytes(look.recipient_ref),
                    look.people, look.why.reason, look.why.case_number);
}

result<purpose> purpose_in(const http::request& r) {
    const auto reason = text_in(r, "Semel-Reason");
    const auto case_number = text_in(r, "Semel-Case");
    if (!reason || !case_number) {
        return failed(reason ? case_number.error() : reason.error());
    }
    return purpose_of(*reason, *case_number);
}

void add_lookup_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/lookups", access::step::read_lookups, [&s](http::request& r, user) { return list_all(s, r); });
    all.add("POST", "/v1/campaigns/{id}/lookups", access::step::read_lookups,
            [&s](http::request& r, user) { return list_of_person(s, r); });
}

} // namespace semel::api
