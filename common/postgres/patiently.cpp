#include "patiently.hpp"

#include <telemetry/log.hpp>

namespace semel::postgres {

attempts::attempts(waiting how)
    : how_(std::move(how))
    , pauses_(how_.pace) {}

std::chrono::milliseconds attempts::failed(const std::exception& e) {
    const auto away = outage_in(e);
    if (!away || (how_.tables_are_ours && away->what == outage::kind::no_such_table)) {
        throw;
    }
    const auto words = away->words + std::string{advice_on(away->what)};
    if (!std::exchange(told_, true)) {
        telemetry::log().warn("postgres.away", {{"why", words}});
    }
    if (how_.tell) {
        how_.tell(words);
    }
    if (how_.enough && how_.enough()) {
        throw given_up{words};
    }
    return pauses_.next();
}

void attempts::succeeded() {
    if (!std::exchange(told_, false)) {
        return;
    }
    telemetry::log().info("postgres.back");
    if (how_.tell) {
        how_.tell(std::nullopt);
    }
}

} // namespace semel::postgres
