#pragma once
// PostgreSQL as semel.yaml has it.

#include <config/config.hpp>
#include <postgres/pool.hpp>

#include <string_view>

namespace semel::postgres {

/// As the role that the service has there (postgres.users). The password is of whichever role that is.
inline server configured(const config::settings& s, std::string_view service) {
    return {config::postgres_dsn_of(s, service), s.postgres_password_file};
}

} // namespace semel::postgres
