#include "configured.hpp"

#include <base/must.hpp>
#include <config/secret.hpp>

namespace semel::redis {

client_options configured(const config::settings& s) {
    const auto& how = s.redis_security;
    base::must(config::secret_in(how.password_file)); // now, and not first in the middle of the night
    return {.host = s.redis.host,
            .port = s.redis.port,
            .user = how.user,
            .password_file = how.password_file,
            .tls = how.tls,
            .ca = how.ca,
            .certificate = how.certificate,
            .key = how.key_file,
            .server_name = how.server_name,
            .managed = how.durability == config::redis_security::durability_proof::managed};
}

} // namespace semel::redis
