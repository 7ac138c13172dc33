#include "servers.hpp"

#include <postgres/outage.hpp>
#include <postgres/pool.hpp>

#include <gmock/gmock.h>

namespace semel::managed {
namespace {

using testing::HasSubstr;

std::string dsn(std::string_view host, const std::string& more) {
    return "host=" + std::string{host} + " port=" + std::to_string(here().postgres_port()) +
           " user=semel dbname=semel " + more;
}

class ManagedPostgres : public testing::Test {
  protected:
    ManagedPostgres() {
        // The passfile's last field.
        std::string line;
        std::getline(std::ifstream{here().config() / "postgres.pass"}, line);
        password_ = line.substr(line.rfind(':') + 1);
        write(password_);
    }
    ~ManagedPostgres() override { std::filesystem::remove(file_); }
    void write(std::string_view password) { std::ofstream{file_} << password << '\n'; }

    std::string verified_ = "sslmode=verify-full sslrootcert='" + (here().tls() / "ca.pem").string() + "'";
    std::filesystem::path file_ = here().config() / "postgres.token";
    std::string password_;
};

bool is_encrypted(pqxx::connection& c) {
    pqxx::work tx{c};
    return tx.exec1("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0].as<bool>();
}

TEST_F(ManagedPostgres, IsReachedUnderAVerifiedCertificate) {
    postgres::pool db{{dsn("localhost", verified_), file_}, 1};
    EXPECT_TRUE(db.run_blocking(is_encrypted));
    postgres::pool as_uri{{"postgresql://semel@localhost:" + std::to_string(here().postgres_port()) +
                               "/semel?sslmode=verify-full&sslrootcert=" + (here().tls() / "ca.pem").string(),
                           file_},
                          1};
    EXPECT_TRUE(as_uri.run_blocking(is_encrypted));
}

TEST_F(ManagedPostgres, ACertificateThatNobodyVouchesForIsRefused) {
    postgres::pool db{{dsn("localhost", "sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt"), file_},
                      1};
    EXPECT_THROW(db.run_blocking(is_encrypted), pqxx::broken_connection);
}

TEST_F(ManagedPostgres, ThePasswordIsReadAnewForEachConnection) {
    postgres::pool db{{dsn("localhost", verified_), file_}, 1};
    const auto first = db.run_blocking([](pqxx::connection& c) { return c.backendpid(); });
    // The token expires: connections that are there live on, and new ones need the new one.
    const std::string next = "it's \\ another";
    db.run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("ALTER ROLE semel PASSWORD " + tx.quote(next));
        tx.commit();
    });
    EXPECT_EQ(db.run_blocking([](pqxx::connection& c) { return c.backendpid(); }), first);
    postgres::pool expired{{dsn("localhost", verified_), file_}, 1};
    EXPECT_THROW(expired.run_blocking(is_encrypted), pqxx::broken_connection);
    write(next);
    EXPECT_ANY_THROW(db.run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("SELECT pg_terminate_backend(pg_backend_pid())");
    }));
    EXPECT_NE(db.run_blocking([](pqxx::connection& c) { return c.backendpid(); }), first) << "with the new password";
    EXPECT_TRUE(expired.run_blocking(is_encrypted));
    db.run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("ALTER ROLE semel PASSWORD " + tx.quote(password_));
        tx.commit();
    });
}

TEST_F(ManagedPostgres, ATokenThatIsJustBeingReplacedIsAnOutageAndNoEnd) {
    std::filesystem::remove(file_);
    postgres::pool db{{dsn("localhost", verified_), file_}, 1};
    try {
        db.run_blocking(is_encrypted);
        FAIL() << "there is no password";
    } catch (const std::exception& e) {
        EXPECT_THAT(e.what(), HasSubstr("postgres.token"));
        const auto what = postgres::outage_in(e);
        ASSERT_TRUE(what);
    }
    write(password_);
    EXPECT_TRUE(db.run_blocking(is_encrypted));
}

} // namespace
} // namespace semel::managed
