#pragma once

#include <string>

namespace semel::redis {

/// Which server answers: a restart, another instance or a failover changes it (info.hpp).
struct server_identity {
    std::string run_id;
    std::string master_replid;
    std::string closing = {}; ///< the name of the newest note of an orderly end in its data; empty: there is none
    friend bool operator==(const server_identity&, const server_identity&) = default;
};

} // namespace semel::redis
