#include "prepare.hpp"

#include <base/bytes.hpp>
#include <crypto/seal.hpp>

#include <api/schema.hpp>
#include <fmt/format.h>
#include <ledger/schema.hpp>
#include <receipts/schema.hpp>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace semel::cli::database {

namespace fs = std::filesystem;
using base::failed;
using base::fault;

void prepare(pqxx::connection& owner) {
    ledger::migrate(owner);
    api::store::migrate(owner);
    receipts::migrate(owner);
    pqxx::work tx{owner};
    tx.exec(std::string{rights()});
    tx.commit();
}

base::result<void> give_passwords(pqxx::connection& owner, const std::map<std::string, std::string>& users,
                                  const fs::path& passfile) {
    std::ifstream in{passfile};
    std::string lines{std::istreambuf_iterator<char>{in}, {}};
    if (!in) {
        return failed(fault::kind::broken,
                      fmt::format("{} cannot be read: it holds PostgreSQL's passwords", passfile.string()));
    }
    std::map<std::string, std::string> passwords; // by user
    for (const auto& [service, user] : users) {
        const auto head = fmt::format("*:*:*:{}:", user);
        auto at = lines.find(head);
        if (at == std::string::npos) {
            at = lines.size();
            lines += head + base::to_hex(crypto::random_bytes(24)) + "\n";
        }
        at += head.size();
        passwords[user] = lines.substr(at, lines.find('\n', at) - at);
    }
    // The file first: what PostgreSQL knows can be told again from it, not the other way round.
    const fs::path fresh{passfile.string() + ".new"};
    const auto usual = ::umask(077);
    const bool written{(std::ofstream{fresh, std::ios::trunc} << lines).flush()};
    ::umask(usual);
    if (!written) {
        return failed(fault::kind::broken, fmt::format("{} cannot be written: is the disk full?", fresh.string()));
    }
    std::error_code error;
    fs::rename(fresh, passfile, error);
    if (error) {
        return failed(fault::kind::broken, fmt::format("{}: {}", passfile.string(), error.message()));
    }
    pqxx::work tx{owner};
    for (const auto& [user, password] : passwords) {
        tx.exec0(fmt::format("ALTER ROLE {} PASSWORD {}", tx.quote_name(user), tx.quote(password)));
    }
    tx.commit();
    return {};
}

} // namespace semel::cli::database
