#include "first_users.hpp"

#include <telemetry/log.hpp>

#include <api/edge/store.hpp>
#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace semel::api {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t shortest_token = 32; // 128 bits in hex

std::string token_in(const fs::path& file) {
    constexpr auto others = fs::perms::group_all | fs::perms::others_all;
    const auto mode = fs::status(file).permissions();
    if ((mode & others) != fs::perms::none) {
        throw std::runtime_error{
            fmt::format("{} has mode {:04o}, so that other users of this machine may use or change "
                        "the token; replace the token and `chmod 600` the file",
                        file.string(), static_cast<unsigned>(mode))};
    }
    std::ifstream in{file};
    std::string token;
    if (!(in >> token) || token.size() < shortest_token) {
        throw std::runtime_error{fmt::format("{} must hold a token of at least {} characters; `openssl rand -hex 32` "
                                             "makes one",
                                             file.string(), shortest_token)};
    }
    return token;
}

} // namespace

void adopt_users(pqxx::connection& connection, const fs::path& folder) {
    if (folder.empty()) {
        return;
    }
    pqxx::work tx{connection};
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator{folder}) {
        const auto name = file.path().filename().string();
        if (const auto role = role_from(name)) {
            if (store::put_user(tx, name, *role, token_in(file.path()))) {
                names.push_back(name);
            } else {
                telemetry::log().warn("user_token.refused",
                                      {{"user", name}, {"why", "it was revoked: put another into its file"}});
            }
        }
    }
    const auto gone = store::keep_users(tx, names);
    tx.commit();
    for (const auto& name : gone) {
        telemetry::log().warn("user.revoked", {{"user", name}, {"why", "its token's file is gone"}});
    }
}

} // namespace semel::api
