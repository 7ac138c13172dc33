#include "first_users.hpp"

#include <telemetry/log.hpp>

#include <api/edge/access_events.hpp>
#include <api/edge/user_store.hpp>
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
    const bool noted = can_note_access(tx);
    const auto tell = [&](const std::string& user, const char* what, const char* text) {
        if (noted) {
            note(tx, access_event{.actor = {}, .from = {}, .what = what, .about = user, .text = text});
        }
    };
    for (const auto& file : fs::directory_iterator{folder}) {
        const auto name = file.path().filename().string();
        if (const auto role = role_from(name)) {
            const auto done = store::put_user(tx, name, *role, token_in(file.path()));
            if (done == store::put::refused) {
                telemetry::log().warn("user_token.refused",
                                      {{"user", name}, {"why", "it was revoked: put another into its file"}});
                continue;
            }
            names.push_back(name);
            if (done == store::put::taken) {
                tell(name, "token_made", "the token of its file in tokens_dir was taken");
            }
        }
    }
    const auto gone = store::keep_users(tx, names);
    for (const auto& name : gone) {
        tell(name, "user_revoked", "its token's file is gone from tokens_dir");
    }
    tx.commit();
    for (const auto& name : gone) {
        telemetry::log().warn("user.revoked", {{"user", name}, {"why", "its token's file is gone"}});
    }
}

} // namespace semel::api
