#include "unmatched.hpp"

#include <base/time.hpp>

#include <api/edge/reading.hpp>
#include <fmt/format.h>

#include <chrono>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr auto patience = std::chrono::minutes{1}; // a report may come before the answer that names its message
constexpr int most_listed = 1'000;

/// Where receipts has never run, it has kept nothing.
bool are_kept(pqxx::work& tx) {
    return !tx.exec1("SELECT to_regprocedure('receipts.unmatched(bigint)')")[0].is_null();
}

http::response list(pqxx::work& tx) {
    json::array out;
    if (!are_kept(tx)) {
        return answer(out);
    }
    for (const auto& row :
         tx.exec_params("SELECT gateway, message_id, ledger.receipt_name(state) AS state, code, times, "
                        "first_us, last_us, why FROM receipts.unmatched($1) LIMIT $2",
                        base::to_us(base::now()), most_listed)) {
        out.push_back(json::object{{"gateway", text(row["gateway"])},
                                   {"time", time_of(row["last_us"])},
                                   {"first", time_of(row["first_us"])},
                                   {"id", text(row["message_id"])},
                                   {"state", text(row["state"])},
                                   {"code", text(row["code"])},
                                   {"count", row["times"].as<std::int64_t>()},
                                   {"why", text(row["why"])}});
    }
    return answer(out);
}

asio::awaitable<http::response> read_list(services& s) {
    co_return co_await s.db.run([](pqxx::connection& connection) {
        pqxx::work tx{connection};
        return list(tx);
    });
}

} // namespace

void add_unmatched_routes(guarded_routes& all, services& s) {
    all.add("GET", "/v1/receipts/unmatched", access::step::read_unmatched_receipts,
            [&s](http::request&, user) { return read_list(s); });
}

void warn_of_unmatched(pqxx::work& tx, json::array& warnings) {
    if (!are_kept(tx)) {
        return;
    }
    for (const auto& row :
         tx.exec_params("SELECT gateway, sum(times) FROM receipts.unmatched($1) GROUP BY 1 ORDER BY 1",
                        base::to_us(base::now() - patience))) {
        warnings.emplace_back(fmt::format("{} reports of gateway {} match no message and mark nobody: "
                                          "`semel receipts unmatched` lists them",
                                          row[1].as<std::int64_t>(), text(row[0])));
    }
}

} // namespace semel::api
