#pragma once
// A database of the test's own on the PostgreSQL that is there, dropped at the end.

#include <fmt/format.h>
#include <support/backing.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <pqxx/pqxx>

namespace semel::ledger::test {

class database {
  public:
    database()
        : server_(server())
        , name_(fmt::format("ledger_test_{}_{}", ::getpid(),
                            std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000'000'000)) {
        administer("CREATE DATABASE " + name_);
    }
    ~database() {
        try {
            administer("DROP DATABASE " + name_ + " WITH (FORCE)");
        } catch (const std::exception& e) {
            fmt::print(stderr, "{} stays behind: {}\n", name_, e.what());
        }
    }
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    std::string dsn() const {
        if (!server_.starts_with("postgres")) {
            return server_ + " dbname=" + name_;
        }
        const auto host = server_.find("://") + 3;
        const auto path = server_.find('/', host);
        const auto query = server_.find('?', host);
        return server_.substr(0, std::min(path, query)) + "/" + name_ +
               (query == std::string::npos ? std::string{} : server_.substr(query));
    }

  private:
    static std::string server() { return support::postgres(); }
    void administer(const std::string& sql) const {
        pqxx::connection connection{server_};
        pqxx::nontransaction tx{connection};
        tx.exec(sql);
    }

    std::string server_;
    std::string name_;
};

} // namespace semel::ledger::test
