#include "ledger.hpp"

#include <api/core/forecast.hpp>

#include <string>
#include <vector>

namespace semel::api {
namespace {

std::vector<wave_count> read_waves(pqxx::work& tx, const std::string& campaign) {
    std::vector<wave_count> waves;
    for (const auto& row : tx.exec_params("SELECT wave, sealed, released, doubles FROM ledger.waves($1)", campaign)) {
        waves.push_back({.wave = row[0].as<std::uint32_t>(),
                         .sealed = row[1].as<bool>(),
                         .released = row[2].as<std::int64_t>(),
                         .doubles = row[3].as<std::int64_t>()});
    }
    return waves;
}

coverage read_counted(pqxx::work& tx, const std::string& campaign) {
    const auto row = tx.exec_params1("SELECT reached, failed, unreachable, in_doubt, outstanding, repeated, "
                                     "rejected "
                                     "FROM ledger.coverage($1)",
                                     campaign);
    return {.reached = row[0].as<std::int64_t>(),
            .failed = row[1].as<std::int64_t>(),
            .unreachable = row[2].as<std::int64_t>(),
            .in_doubt = row[3].as<std::int64_t>(),
            .outstanding = row[4].as<std::int64_t>(),
            .repeated = row[5].as<std::int64_t>(),
            .rejected = row[6].as<std::int64_t>()};
}

std::vector<channel_pace> paces_of(const pqxx::result& channels) {
    std::vector<channel_pace> paces;
    for (const auto& row : channels) {
        paces.push_back({.channel = base::channel_from(row["channel"].as<std::string>()).value_or(base::channel{}),
                         .planned = row["planned"].as<std::int64_t>(),
                         .outstanding = row["outstanding"].as<std::int64_t>(),
                         .per_second = row["rate_per_s"].as<double>()});
    }
    return paces;
}

} // namespace

coverage read_coverage(pqxx::work& tx, const v1::Campaign& c) {
    const auto waves = read_waves(tx, c.id());
    return completed(c, read_counted(tx, c.id()), waves);
}

release_count read_released(pqxx::work& tx, const v1::Campaign& c) {
    const auto waves = read_waves(tx, c.id());
    return count_released(c, waves);
}

canary_standing read_canary(pqxx::work& tx, const v1::Campaign& c) {
    return canary_of(c, c.canary().rows() == 0 ? std::vector<wave_count>{} : read_waves(tx, c.id()));
}

std::vector<channel_outcomes> read_outcomes(pqxx::work& tx, const std::string& campaign) {
    std::vector<channel_outcomes> out;
    for (const auto& row : tx.exec_params("SELECT channel, accepted, failed FROM ledger.channels($1)", campaign)) {
        if (const auto channel = base::channel_from(row[0].as<std::string>())) {
            out.push_back(
                {.channel = *channel, .accepted = row[1].as<std::int64_t>(), .failed = row[2].as<std::int64_t>()});
        }
    }
    return out;
}

std::optional<base::timestamp> forecast_of(const v1::Campaign& c, const pqxx::result& channels,
                                           const release_count& rows, base::timestamp now) {
    if (canary_holds(c) && rows.held > 0) {
        return std::nullopt;
    }
    return forecast(paces_of(channels), rows, now);
}

std::string what_would_help(const v1::Campaign& c, const pqxx::result& channels, const release_count& rows,
                            base::timestamp now) {
    return in_words(late_channels(paces_of(channels), rows, now, base::from_us(c.deadline_us())));
}

bool is_settled(pqxx::work& tx, const v1::Campaign& c) {
    // In this order: each statement sees what was committed before it, and once every row is released, its messages
    // are there to be counted. The other way round, both could be true one after the other and never at once.
    if (const auto waves = read_waves(tx, c.id()); !wholly_released(c, waves)) {
        return false;
    }
    const auto open = tx.exec_params1("SELECT ledger.open_messages($1)", c.id())[0].as<std::int64_t>();
    return open == 0 && read_counted(tx, c.id()).outstanding == 0;
}

} // namespace semel::api
