#include "test_addresses.hpp"

#include <telemetry/log.hpp>

#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr int most_listed = 1'000;

struct change {
    bool adds = true;
    address::address whom;
    std::string mark;
    std::string by;
};

/// {"add": "kim@example.com"} or {"remove": "kim@example.com"}.
base::result<change> change_of(const json::object& o, const std::string& by, const crypto::key_ring& keys) {
    const auto* added = json::find_text(o, "add");
    const auto* removed = json::find_text(o, "remove");
    if ((added == nullptr) == (removed == nullptr)) {
        return base::failed(base::fault::kind::malformed, "the body must have one of `add` and `remove`, an address");
    }
    auto address = read_test_address(added != nullptr ? std::string_view{*added} : std::string_view{*removed});
    if (!address) {
        return base::failed(base::fault::kind::malformed, address.error().why());
    }
    auto mark = mark_of(keys.destinations(), address->channel, address->canonical);
    return change{.adds = added != nullptr, .whom = std::move(*address), .mark = std::move(mark), .by = by};
}

pqxx::binarystring bytes(std::string_view s) {
    return pqxx::binarystring{s.data(), s.size()};
}

http::response list(pqxx::work& tx, const config::settings& settings, const crypto::key_ring& keys) {
    json::array out;
    for (const auto& written : settings.tests.addresses) {
        const auto address = read_test_address(written).value(); // or the service had not started
        out.push_back(json::object{{"address", masked(address.canonical)},
                                   {"channel", base::to_string(address.channel)},
                                   {"in_force", true},
                                   {"added_by", "semel.yaml"},
                                   {"added", nullptr},
                                   {"removed_by", nullptr},
                                   {"removed", nullptr}});
    }
    const auto key = keys.destinations().id;
    const auto time_or_null = [](const pqxx::field& us) {
        return us.is_null() ? json::value(nullptr) : json::value(json::string(time_of(us)));
    };
    for (const auto& row : tx.exec("SELECT shown, channel, added_by, removed_by, "
                                   "(extract(epoch FROM added) * 1000000)::bigint, "
                                   "(extract(epoch FROM removed) * 1000000)::bigint, mark "
                                   "FROM api.test_addresses ORDER BY number")) {
        out.push_back(json::object{
            {"address", text(row[0])},
            {"channel", text(row[1])},
            {"in_force", row[5].is_null() && pqxx::binarystring{row[6]}.str().starts_with(key)},
            {"added_by", text(row[2])},
            {"added", time_or_null(row[4])},
            {"removed_by", row[3].is_null() ? json::value(nullptr) : json::value(json::string(text(row[3])))},
            {"removed", time_or_null(row[5])}});
    }
    return answer(out);
}

/// Nothing is changed by saying the same again.
std::optional<http::response> apply(pqxx::work& tx, const change& c) {
    tx.exec0("LOCK TABLE api.test_addresses IN SHARE ROW EXCLUSIVE MODE"); // two approvers at once
    const std::string channel{base::to_string(c.whom.channel)};
    if (!c.adds) {
        tx.exec_params0("UPDATE api.test_addresses SET removed_by = $3, removed = now() "
                        "WHERE channel = $1 AND mark = $2 AND removed IS NULL",
                        channel, bytes(c.mark), c.by);
        return std::nullopt;
    }
    const auto in_force = tx.exec1("SELECT count(*) FROM api.test_addresses WHERE removed IS NULL")[0].as<int>();
    if (in_force >= most_listed) {
        return refused({base::fault::kind::permanent,
                        fmt::format("{} test addresses are listed already: remove those that nobody needs", in_force)});
    }
    tx.exec_params0("INSERT INTO api.test_addresses (channel, mark, shown, added_by) VALUES ($1, $2, $3, $4) "
                    "ON CONFLICT DO NOTHING",
                    channel, bytes(c.mark), masked(c.whom.canonical), c.by);
    return std::nullopt;
}

asio::awaitable<http::response> change_list(services& s, http::request& r, user who) {
    const auto body = co_await read_object(r);
    if (!body) {
        co_return http::problem(body.error());
    }
    const auto wanted = change_of(*body, who.name, s.keys);
    if (!wanted) {
        co_return http::problem(wanted.error());
    }
    auto response = co_await s.db.run([&config = s.config, keys = s.keys, c = *wanted](pqxx::connection& connection) {
        pqxx::work tx{connection};
        if (auto refusal = apply(tx, c)) {
            return std::move(*refusal);
        }
        auto out = list(tx, config, keys);
        tx.commit();
        return out;
    });
    if (response.status == 200) {
        telemetry::log().info(wanted->adds ? "test_address.added" : "test_address.removed",
                              {{"channel", base::to_string(wanted->whom.channel)}, {"by", who.name}});
    }
    co_return response;
}

} // namespace

test_addresses listed_test_addresses(pqxx::transaction_base& tx, const config::settings& settings,
                                     const crypto::key_ring& keys) {
    test_addresses out{keys.destinations()};
    for (const auto& written : settings.tests.addresses) {
        auto address = read_test_address(written);
        if (!address) {
            throw std::runtime_error{
                fmt::format("{}: tests.addresses: {}", settings.file.string(), address.error().why())};
        }
        out.add(address->channel, address->canonical);
    }
    for (const auto& row : tx.exec("SELECT mark FROM api.test_addresses WHERE removed IS NULL")) {
        out.add(pqxx::binarystring{row[0]}.str());
    }
    return out;
}

void add_test_address_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/test-addresses", access::step::list_test_addresses,
            [&s](http::request&, user) -> asio::awaitable<http::response> {
                co_return co_await s.db.run([&config = s.config, keys = s.keys](pqxx::connection& connection) {
                    pqxx::work tx{connection};
                    return list(tx, config, keys);
                });
            });
    all.add("POST", "/v1/test-addresses", access::step::change_test_addresses,
            [&s](http::request& r, user who) { return change_list(s, r, std::move(who)); });
}

} // namespace semel::api
