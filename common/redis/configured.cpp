#include "configured.hpp"

#include <base/must.hpp>
#include <config/secret.hpp>

namespace semel::redis {

client_options configured(const config::settings& s) {
    return {
        .host = s.redis.host, .port = s.redis.port, .password = base::must(config::secret_in(s.redis_password_file))};
}

} // namespace semel::redis
