#pragma once
// Who is reached over which wire: the sections kafka, redis, postgres, api and verify, and the one rule for all of
// them: nothing leaves this machine in the clear unless the file says that this is meant. Inside common/config only.

#include <config/config.hpp>
#include <config/reader.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace semel::config {

struct transport {
    bool encrypts = false;
    std::vector<std::string> hosts;
    std::string_view key;    // of the section: what would make it encrypted
    std::string_view remedy; // "set tls: true"
};
/// Reads `insecure`. Complains about plain text to another machine without it, and notes it where it is meant.
void hold_to_encryption(section&, std::vector<std::string>& unencrypted, const transport&);

/// Complains where only one of two keys is there.
void come_together(section&, std::string_view one, std::string_view other);
/// Complains about keys that mean nothing without another.
void only_with(section&, std::initializer_list<std::string_view> keys, bool condition, std::string_view what);

void read_kafka(section&, settings&, const path& folder);
void read_redis(section&, settings&, const path& folder);
void read_postgres(section&, settings&, const path& folder);
void read_api(section&, settings&, const path& folder);
void read_verify(section&, settings&, const path& folder);

} // namespace semel::config
