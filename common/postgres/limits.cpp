#include "limits.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <map>
#include <memory>

namespace semel::postgres {

namespace {

constexpr int probes = 3;

} // namespace

std::string quoted_value(const std::string& value) {
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

std::string watched(const std::string& dsn, const limits& l) {
    using options_ptr = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
    const options_ptr given{PQconninfoParse(dsn.c_str(), nullptr), &PQconninfoFree};
    if (!given) {
        return dsn;
    }
    const auto between = l.silence / (probes + 2); // idle for two of them, then a probe after each
    std::map<std::string, std::string> all{
        {"connect_timeout", std::to_string(l.connect.count())},
        {"tcp_user_timeout", std::to_string(std::chrono::milliseconds{l.silence}.count())},
        {"keepalives_idle", std::to_string((2 * between).count())},
        {"keepalives_interval", std::to_string(between.count())},
        {"keepalives_count", std::to_string(probes)}};
    for (const auto* o = given.get(); o->keyword != nullptr; ++o) {
        if (o->val != nullptr) {
            all[o->keyword] = o->val;
        }
    }
    std::string out;
    for (const auto& [name, value] : all) {
        out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, quoted_value(value));
    }
    return out;
}

void impose(pqxx::connection& c, const limits& l) {
    pqxx::nontransaction tx{c};
    // jit: our statements take milliseconds; to compile one takes hundreds, wherever an estimate is off.
    tx.exec_params("SELECT set_config(name, value, false) FROM (VALUES ('statement_timeout', $1::text), "
                   "('lock_timeout', $2), ('idle_in_transaction_session_timeout', $3), ('jit', 'off')) "
                   "AS wanted(name, value) "
                   "JOIN pg_settings USING (name) WHERE source = 'default'",
                   std::to_string(l.statement.count()), std::to_string(l.lock.count()),
                   std::to_string(l.idle_in_transaction.count()));
}

} // namespace semel::postgres
