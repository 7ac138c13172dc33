#pragma once
// The client's options as semel.yaml has them, with the password from its file.

#include <config/config.hpp>
#include <redis/client.hpp>

namespace semel::redis {

/// Throws when the password's file cannot be read.
client_options configured(const config::settings&);

} // namespace semel::redis
