#include "refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::redis {
namespace {

struct meaning {
    std::string_view code;
    std::string_view words;
};

constexpr std::string_view one_master = "semel.yaml must name the master (redis.address)";
constexpr std::string_view no_cluster = "it belongs to a cluster, and Semel needs one server (redis.address)";

constexpr std::array meanings{
    meaning{"READONLY", one_master},
    meaning{"MASTERDOWN", one_master},
    meaning{"OOM", "its memory is full: raise maxmemory, or stop what else fills it"},
    meaning{"MISCONF", "it cannot write its file: is its disk full?"},
    meaning{"BUSY", "a script holds it up: `redis-cli SCRIPT KILL` ends one that has written nothing"},
    meaning{"LOADING", "it is loading its data: wait"},
    meaning{"NOAUTH", "it wants a password: set redis.password_file"},
    meaning{"NOPERM", "its ACL forbids this user a command that Semel needs: docs/operations.md, \"Managed servers\", "
                      "lists them"},
    meaning{"NOREPLICAS", "fewer replicas follow it than its min-replicas-to-write: start them"},
    meaning{"CLUSTERDOWN", no_cluster},
    meaning{"MOVED", no_cluster},
    meaning{"ASK", no_cluster},
};

} // namespace

std::optional<std::string> refusal(std::string_view error) {
    const auto code = error.substr(0, error.find(' '));
    const auto found = std::ranges::find(meanings, code, &meaning::code);
    if (found == meanings.end()) {
        return std::nullopt;
    }
    return fmt::format("the server answers {}: {}", code, found->words);
}

} // namespace semel::redis
