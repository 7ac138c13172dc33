#pragma once
// Where the api is and who asks: the local stack's folder, or SEMEL_API and SEMEL_TOKEN elsewhere.

#include <base/fault.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace semel::cli::campaign {

/// As given on the command line.
struct place {
    std::optional<std::filesystem::path> dir;
    std::optional<std::string> as;
};

struct environment {
    std::string api, token, token_file, ca;
    static environment of_process();
};

struct account {
    std::string base; // "http://127.0.0.1:18080"
    std::string token;
    std::filesystem::path ca; // empty: the system's
};

/// --dir goes before SEMEL_API, and --as before SEMEL_TOKEN and SEMEL_TOKEN_FILE. Refuses token files that others may
/// read, a local user's token for another machine unless --as asks for it, and plain HTTP to another machine.
base::result<account> find_account(const place&, const environment&);

} // namespace semel::cli::campaign
