#pragma once
// The first users of an installation.

#include <filesystem>

#include <pqxx/pqxx>

namespace semel::api {

/// Each file of the folder that is named like a role is a user of that name and role, with the token that it holds.
/// A user whose file is gone is a user no more: deleting a token's file revokes it at the next start.
/// Throws std::runtime_error for a token that others on this machine may read, and for a short one.
void adopt_users(pqxx::connection&, const std::filesystem::path& folder);

} // namespace semel::api
