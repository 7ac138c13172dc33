#include "pool.hpp"

#include <config/secret.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace semel::postgres {

struct pool::impl {
    impl(const server& where, unsigned n, const limits& l)
        : dsn(watched(where.dsn, l))
        , password_file(where.password_file)
        , limit(l)
        , most(n)
        , threads(n) {}

    /// For libpq, with the password as its file has it now.
    std::string connection_string() const {
        const auto password = config::secret_in(password_file);
        if (!password) { // it is being replaced, or will be: as good as a server that is away
            throw pqxx::broken_connection{"PostgreSQL's password: " + password.error().why()};
        }
        return password_file.empty() ? dsn : fmt::format("{} password={}", dsn, quoted_value(*password));
    }

    const std::string dsn; // key=value
    const std::filesystem::path password_file;
    const limits limit;
    const unsigned most;
    std::mutex mutex;
    std::vector<std::unique_ptr<pqxx::connection>> idle;
    boost::asio::thread_pool threads; // last: its threads use what is above
};

pool::pool(server where, unsigned connections, limits limit)
    : impl_(std::make_unique<impl>(where, std::max(connections, 1U), limit)) {}

pool::~pool() {
    impl_->threads.join();
}

boost::asio::thread_pool& pool::threads() {
    return impl_->threads;
}

pqxx::connection& pool::take() {
    {
        const std::scoped_lock lock{impl_->mutex};
        if (!impl_->idle.empty()) {
            auto connection = std::move(impl_->idle.back());
            impl_->idle.pop_back();
            return *connection.release();
        }
    }
    return *connect().release();
}

std::unique_ptr<pqxx::connection> pool::connect() const {
    auto fresh = std::make_unique<pqxx::connection>(impl_->connection_string());
    // libpqxx 6 would reconnect silently, even between two statements that belong together. libpqxx 7 no longer does,
    // so the call that forbids it is marked as deprecated.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    fresh->inhibit_reactivation(true);
#pragma clang diagnostic pop
    impose(*fresh, impl_->limit);
    return fresh;
}

void pool::give_back(pqxx::connection& used) noexcept {
    std::unique_ptr<pqxx::connection> connection{&used};
    std::vector<std::unique_ptr<pqxx::connection>> doubtful;
    const std::scoped_lock lock{impl_->mutex};
    if (!connection->is_open()) {
        // A restarted server has closed the idle ones too; each would cost its next user a failure.
        doubtful.swap(impl_->idle);
    } else if (impl_->idle.size() < impl_->most) {
        impl_->idle.push_back(std::move(connection));
    }
}

namespace {

/// The digests of the steps that are applied, in order.
std::vector<std::string> applied_steps(pqxx::work& tx, const std::string& component) {
    std::vector<std::string> out;
    if (tx.exec1("SELECT to_regclass('schema_steps')")[0].is_null()) {
        return out;
    }
    for (const auto& row :
         tx.exec_params("SELECT digest FROM schema_steps WHERE component = $1 ORDER BY step", component)) {
        out.push_back(row[0].as<std::string>());
    }
    return out;
}

void make(pqxx::work& tx, const std::string& component, std::size_t number, const std::string& sql) {
    try {
        tx.exec(sql);
    } catch (const pqxx::insufficient_privilege&) {
        throw std::runtime_error{
            fmt::format("the database lacks schema step {} of \"{}\", and this role may not make it: run `semel "
                        "database prepare` as the owner of the tables (`semel up` does so on the local stack)",
                        number, component)};
    }
}

} // namespace

void migrate(pqxx::connection& connection, std::string_view component, std::initializer_list<std::string_view> steps) {
    const std::string name{component};
    pqxx::work tx{connection};
    // A step may write a large table anew, and whoever starts beside us waits for it.
    tx.exec("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
    // One lock for all components: two that start together would both create the table below.
    tx.exec("SELECT pg_advisory_xact_lock(hashtext('semel.schema_steps'))");
    const auto applied = applied_steps(tx, name);
    if (applied.size() > steps.size()) {
        throw std::runtime_error{
            fmt::format("the database has {} schema steps of \"{}\" and this program knows {}: it was "
                        "set up by a newer Semel; run that one",
                        applied.size(), name, steps.size())};
    }
    if (applied.empty() && tx.exec1("SELECT to_regclass('schema_steps')")[0].is_null()) {
        make(tx, name, 1,
             "CREATE TABLE schema_steps (component text NOT NULL, step integer NOT NULL, digest text NOT NULL, "
             "applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, step))");
    }
    std::size_t number = 0;
    for (const auto sql : steps) {
        const std::string text{sql};
        const auto digest = tx.exec_params1("SELECT md5($1)", text)[0].as<std::string>();
        ++number;
        if (number > applied.size()) {
            make(tx, name, number, text);
            tx.exec_params("INSERT INTO schema_steps (component, step, digest) VALUES ($1, $2, $3)", name, number,
                           digest);
        } else if (applied[number - 1] != digest) {
            throw std::runtime_error{
                fmt::format("schema step {} of \"{}\" was applied with another text: a step that ran "
                            "somewhere is never changed, add a new one after it",
                            number, name)};
        }
    }
    tx.commit();
}

} // namespace semel::postgres
