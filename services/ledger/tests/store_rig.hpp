#pragma once
// A database of a test program's own, a campaign of each test's own, and what the database answers about it.

#include "database.hpp"
#include "events.hpp"

#include <gtest/gtest.h>
#include <ledger/edge/store.hpp>
#include <ledger/schema.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace semel::ledger {

using test::notification;
using test::person;
using test::story;

using lines = std::map<std::string, std::int64_t>;

class Ledger : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        database_ = std::make_unique<test::database>();
        pqxx::connection c{database_->dsn()};
        migrate(c);
    }
    static void TearDownTestSuite() { database_.reset(); }

    void SetUp() override {
        s.campaign = fmt::format("c-{}", testing::UnitTest::GetInstance()->current_test_info()->line());
        topic_ = "events." + s.campaign;
        store_ = std::make_unique<store>(topic_);
        connection_ = std::make_unique<pqxx::connection>(database_->dsn());
        store_->positions(*connection_, {0});
    }

    /// As one transaction; the offsets move by one for each.
    written write(const std::vector<v1::Event>& events) {
        batch b;
        for (const auto& e : events) {
            if (const auto ok = b.take(e); !ok) {
                throw std::runtime_error{ok.error().why()};
            }
        }
        const auto result = store_->write(*connection_, b, {{0, {.from = offset_, .to = offset_ + 1}}});
        offset_ += result == written::now ? 1 : 0;
        return result;
    }

    template <class... Args>
    pqxx::result query(const std::string& sql, const Args&... args) {
        pqxx::work tx{*connection_};
        return tx.exec_params(sql, args...);
    }
    static lines by_name(const pqxx::result& rows) {
        lines out;
        for (const auto& row : rows) {
            for (const auto& field : row) {
                if (std::string_view{field.name()} != "channel" && std::string_view{field.name()} != "rate_per_s") {
                    out[field.name()] = field.as<std::int64_t>();
                }
            }
        }
        return out;
    }
    lines coverage() { return by_name(query("SELECT * FROM ledger.coverage($1)", s.campaign)); }
    lines email() { return by_name(query("SELECT * FROM ledger.channels($1) WHERE channel = 'email'", s.campaign)); }
    std::vector<std::string> kinds(const std::string& who) {
        std::vector<std::string> out;
        for (const auto& row : query("SELECT kind FROM ledger.story($1, $2)", s.campaign, bytes(person(who)))) {
            out.push_back(row[0].as<std::string>());
        }
        return out;
    }
    static pqxx::binarystring bytes(const std::string& s) { return pqxx::binarystring{s}; }

    static lines expected(std::int64_t reached, std::int64_t in_doubt, std::int64_t outstanding, std::int64_t failed,
                          std::int64_t unreachable, std::int64_t rejected, std::int64_t repeated = 0) {
        return {{"rows", reached + in_doubt + outstanding + failed + unreachable + rejected + repeated},
                {"reached", reached},
                {"in_doubt", in_doubt},
                {"outstanding", outstanding},
                {"failed", failed},
                {"unreachable", unreachable},
                {"repeated", repeated},
                {"rejected", rejected}};
    }

    story s{};
    std::string topic_;
    kafka::offset offset_ = 0;
    std::unique_ptr<store> store_;
    std::unique_ptr<pqxx::connection> connection_;
    static inline std::unique_ptr<test::database> database_;
};

} // namespace semel::ledger
