#include "lookups.hpp"

#include <base/bytes.hpp>
#include <crypto/keys.hpp>
#include <http/url.hpp>

#include <api/edge/pages.hpp>
#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace semel::api {

namespace asio = boost::asio;

namespace {

using base::failed;
using base::fault;
using base::result;

/// Which of the record are asked for.
struct selection {
    std::string campaign, user; // empty: all
    std::string recipient_ref;
    page_request page;
};

/// A byte is at most three characters of percent-encoding.
constexpr std::size_t encoded(std::size_t bytes) {
    return 3 * bytes;
}

result<std::string> text_in(const http::request& r, std::string_view header, std::size_t longest) {
    const auto sent = r.header(header);
    if (sent.size() > encoded(longest)) {
        return failed(fault::kind::malformed, fmt::format("the header {} has more than {} characters; say it shorter",
                                                          header, encoded(longest)));
    }
    const bool plain = std::ranges::all_of(sent, [](char ch) { return ch >= ' ' && ch <= '~'; });
    const auto text = http::percent_decode(sent);
    if (!plain || !text || !is_utf8(*text)) {
        return failed(fault::kind::malformed, fmt::format("the header {} must be percent-encoded UTF-8", header));
    }
    return *text;
}

result<selection> selection_of(const http::request& r) {
    const auto page = page_of(r);
    const auto campaign = filter_of(r, "campaign");
    const auto user = filter_of(r, "user");
    if (!page) {
        return failed(page.error());
    }
    if (!campaign || !user) {
        return failed(campaign ? user.error() : campaign.error());
    }
    return selection{.campaign = *campaign, .user = *user, .recipient_ref = {}, .page = *page};
}

pqxx::binarystring bytes(std::string_view s) {
    return pqxx::binarystring{s.data(), s.size()};
}

http::response list(pqxx::work& tx, const selection& wanted) {
    json::array out;
    std::int64_t last = 0;
    for (const auto& row : tx.exec_params(
             "SELECT number, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS time, actor, peer, "
             "what, campaign, recipient_ref, people, reason, case_number "
             "FROM ledger.lookups_before($1, $2, $3, $4, $5)",
             wanted.campaign, wanted.user, bytes(wanted.recipient_ref), wanted.page.before, wanted.page.limit)) {
        const auto ref = blob(row["recipient_ref"]);
        last = row["number"].as<std::int64_t>();
        out.push_back(json::object{
            {"number", last},
            {"time", text(row["time"])},
            {"user", text(row["actor"])},
            {"from", text(row["peer"])},
            {"what", text(row["what"])},
            {"campaign", text(row["campaign"])},
            {"recipient", ref.empty() ? json::value(nullptr) : json::value(json::string(base::to_hex(ref)))},
            {"people", row["people"].as<std::int64_t>()},
            {"reason", text(row["reason"])},
            {"case", text(row["case_number"])}});
    }
    auto next = next_page(wanted.page, out.size(), last);
    return answer(json::object{{"lookups", std::move(out)}, {"next", std::move(next)}});
}

asio::awaitable<http::response> list_all(services& s, http::request& r) {
    const auto wanted = selection_of(r);
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
    auto wanted = selection_of(r);
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
    const auto reason = text_in(r, "Semel-Reason", longest_reason);
    const auto case_number = text_in(r, "Semel-Case", longest_case);
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
