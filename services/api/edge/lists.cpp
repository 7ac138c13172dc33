#include "lists.hpp"

#include <postgres/snapshot.hpp>
#include <wire/sealed.hpp>

#include <api/edge/lookups.hpp>
#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <optional>
#include <variant>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr int page_rows = 1'000;

/// One list on its way to one reader.
struct reading {
    reading(postgres::pool& db, std::shared_ptr<const void> p)
        : view(db)
        , place(std::move(p)) {}

    postgres::snapshot view;
    std::shared_ptr<const void> place;
    list_form form = {};
    bool begun = false;
    std::int64_t people = 0;

    /// As many as this snapshot shows.
    void count(pqxx::work& tx, const std::string& campaign) {
        people = form.shows ? tx.exec_params1(form.shows->count, campaign)[0].as<std::int64_t>() : 0;
    }
    /// Empty at the end.
    std::string next_page(pqxx::work& tx) {
        std::string out;
        for (const auto& row : tx.exec(fmt::format("FETCH {} FROM list", page_rows))) {
            out += begun ? form.between : std::string{};
            out += form.line(row);
            begun = true;
        }
        return out;
    }
};

asio::awaitable<base::result<void>> send(std::shared_ptr<reading> list, std::string page, http::body_writer& to) {
    page.insert(0, list->form.head);
    for (;;) {
        if (const auto written = co_await to.write(page); !written) {
            co_return base::failed(written.error());
        }
        page = co_await list->view.run([list = list.get()](pqxx::work& tx) { return list->next_page(tx); });
        if (page.empty()) {
            co_return co_await to.write(list->form.foot);
        }
    }
}

using form_or_refusal = std::variant<http::response, list_form>;
using form_maker = std::function<form_or_refusal(pqxx::work&, const v1::Campaign&)>;

form_or_refusal form_with_key(services& s, const list_maker& make, pqxx::work& tx, const v1::Campaign& c) {
    std::optional<list_form> form;
    auto refusal = with_key(s, [&](pqxx::work& inner, const v1::Campaign& campaign, const crypto::campaign_key& key) {
        form = make(inner, campaign, key);
        return http::response{};
    })(tx, c);
    return form ? form_or_refusal{std::move(*form)} : form_or_refusal{std::move(refusal)};
}

asio::awaitable<void> note_reading(services& s, lookup look, const reading& list) {
    look.what = list.form.shows->what;
    look.people = list.people;
    co_await s.lists.run([look = std::move(look)](pqxx::connection& connection) {
        pqxx::work tx{connection};
        note(tx, look);
        tx.commit();
    });
}

/// Opens the list, reads its first page and notes who reads: what can go wrong is told before the answer begins.
asio::awaitable<http::response> begin(services& s, lookup look, form_maker make, std::shared_ptr<const void> place) {
    const auto list = std::make_shared<reading>(s.lists, std::move(place));
    const auto id = look.campaign;
    using first_page = std::variant<http::response, std::string>;
    auto opened = co_await list->view.run([id, make, list = list.get()](pqxx::work& tx) -> first_page {
        const auto c = store::read_campaign(tx, id);
        if (!c) {
            return not_found(id);
        }
        auto form = make(tx, *c);
        if (auto* refusal = std::get_if<http::response>(&form)) {
            return std::move(*refusal);
        }
        list->form = std::get<list_form>(std::move(form));
        list->count(tx, id);
        tx.exec_params0("DECLARE list NO SCROLL CURSOR FOR " + list->form.query, id);
        return list->next_page(tx);
    });
    if (auto* refusal = std::get_if<http::response>(&opened)) {
        co_return std::move(*refusal);
    }
    if (list->form.shows) {
        co_await note_reading(s, std::move(look), *list);
    }
    http::response out;
    out.content_type = list->form.content_type;
    out.stream = [list, page = std::get<std::string>(std::move(opened))](http::body_writer& to) {
        return send(list, page, to);
    };
    co_return out;
}

user_handler for_admitted(services& s, form_maker make) {
    return [&s, make = std::move(make)](http::request& r, user who) -> asio::awaitable<http::response> {
        auto why = purpose_in(r);
        if (!why) {
            co_return http::problem(why.error());
        }
        auto admitted = admit(s, who);
        if (!admitted.place) {
            co_return std::move(admitted.refusal);
        }
        auto look = look_of(r, who, {}, std::move(*why)); // at what, the list's form says
        co_return co_await begin(s, std::move(look), make, std::move(admitted.place));
    };
}

std::string csv_field(std::string value) {
    // A cell that a spreadsheet would compute is shown as text (ASVS 1.2.10).
    if (!value.empty() && std::string_view{"=+-@\t\r"}.find(value[0]) != std::string_view::npos) {
        value.insert(value.begin(), '\'');
    }
    if (value.find_first_of("\",\r\n") == std::string::npos) {
        return value;
    }
    std::string out = "\"";
    for (const char ch : value) {
        out += ch;
        if (ch == '"') {
            out += ch;
        }
    }
    return out + "\"";
}

list_form csv(std::string head, std::string query, people_shown shows,
              std::function<std::string(const pqxx::row&)> line) {
    return {.content_type = "text/csv; charset=utf-8",
            .head = std::move(head) + "\r\n",
            .between = {},
            .foot = {},
            .query = std::move(query),
            .line = std::move(line),
            .shows = std::move(shows)};
}

list_form unreached(pqxx::work&, const v1::Campaign&, const crypto::campaign_key& key) {
    // By the totals, which change with the rows: counting them would take as long as reading them.
    people_shown shows{.what = looked_at::unreached,
                       .count = "SELECT coalesce(sum(failed + unreachable + in_doubt + outstanding), 0)::bigint "
                                "FROM ledger.campaigns WHERE id = $1"};
    return csv("recipient_id,name,why", "SELECT recipient_ref, line, sealed FROM ledger.unreached($1)",
               std::move(shows), [key](const pqxx::row& row) {
                   const auto recipient = wire::open_recipient(key, blob(row[0]), blob(row[2]));
                   const auto who = recipient
                                        ? csv_field(recipient->recipient_id()) + "," + csv_field(recipient->name())
                                        : std::string{"(sealed),"};
                   return who + "," + text(row[1]) + "\r\n";
               });
}

/// Not refused, so in no rejects.csv: the import keeps no ids, and only plan finds out.
list_form repeated(pqxx::work&, const v1::Campaign&, const crypto::campaign_key& key) {
    people_shown shows{.what = looked_at::repeated, .count = "SELECT repeated FROM ledger.coverage($1)"};
    return csv("wave,row,recipient_id,reason,effect",
               "SELECT wave, row, recipient_ref, sealed, array_to_string(own, ' and ') FROM ledger.repeated($1)",
               std::move(shows), [key](const pqxx::row& row) {
                   const auto recipient = wire::open_recipient(key, blob(row[2]), blob(row[3]));
                   const auto own = text(row[4]);
                   return fmt::format("{},{},{},an earlier row of this wave has the same recipient_id,\"counted as "
                                      "repeated; {}\"\r\n",
                                      row[0].as<int>(), row[1].as<std::int64_t>(),
                                      recipient ? csv_field(recipient->recipient_id()) : "(sealed)",
                                      own.empty() ? "its addresses are told by other rows"
                                                  : "told by " + own + " at an address that no earlier row has");
               });
}

/// What people did with the campaign, and what became of each test message.
list_form history() {
    const auto line = [](const pqxx::row& row) {
        return json::serialize(json::object{{"time", time_of(row["time_us"])},
                                            {"kind", text(row["kind"])},
                                            {"actor", text(row["actor"])},
                                            {"text", text(row["text"])},
                                            {"wave", row["wave"].as<int>()},
                                            {"channel", text(row["channel"])},
                                            {"notification", base::to_hex(blob(row["notification"]))},
                                            {"attempt", row["attempt"].as<int>()},
                                            {"gateway", text(row["gateway"])},
                                            {"code", text(row["code"])}});
    };
    return {.query = "SELECT * FROM ledger.history($1, ARRAY(SELECT notification FROM api.trials WHERE campaign = $1))",
            .line = line};
}

} // namespace

admission admit(services& s, const user& who) {
    auto place = s.reads.enter(who.name);
    if (place) {
        return {.place = std::move(place), .refusal = {}};
    }
    return {.place = nullptr,
            .refusal = http::problem(429, who.name + " reads two long lists already",
                                     "wait until one of them has ended; steps such as pause are not held up by lists")};
}

user_handler long_list(services& s, list_maker make) {
    return for_admitted(s, [&s, make = std::move(make)](pqxx::work& tx, const v1::Campaign& c) {
        return form_with_key(s, make, tx, c);
    });
}

user_handler long_list(services& s, list_form form) {
    return for_admitted(s,
                        [form = std::move(form)](pqxx::work&, const v1::Campaign&) -> form_or_refusal { return form; });
}

void add_people_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/campaigns/{id}/unreached", access::step::read_people, long_list(s, unreached));
    all.add("GET", "/v1/campaigns/{id}/repeated", access::step::read_people, long_list(s, repeated));
    all.add("GET", "/v1/campaigns/{id}/history", access::step::read_history, long_list(s, history()));
}

} // namespace semel::api
