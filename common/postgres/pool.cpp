#include "pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace semel::postgres {

struct pool::impl {
    impl(const std::string& d, unsigned n, const limits& l)
        : dsn(watched(d, l))
        , limit(l)
        , most(n)
        , threads(n) {}

    const std::string dsn;
    const limits limit;
    const unsigned most;
    std::mutex mutex;
    std::vector<std::unique_ptr<pqxx::connection>> idle;
    boost::asio::thread_pool threads; // last: its threads use what is above
};

pool::pool(std::string dsn, unsigned connections, limits limit)
    : impl_(std::make_unique<impl>(dsn, std::max(connections, 1U), limit)) {}

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
    auto fresh = std::make_unique<pqxx::connection>(impl_->dsn);
    // libpqxx 6 would reconnect silently, even between two statements that belong together; libpqxx 7, which dropped
    // that, is why the one way to forbid it is marked as deprecated.
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

void migrate(pqxx::connection& connection, std::string_view component, std::initializer_list<std::string_view> steps) {
    const std::string name{component};
    pqxx::work tx{connection};
    // A step may write a large table anew, and whoever starts beside us waits for it.
    tx.exec("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
    // One lock for all components: two that start together would both create the table below.
    tx.exec("SELECT pg_advisory_xact_lock(hashtext('semel.schema_steps'))");
    tx.exec("CREATE TABLE IF NOT EXISTS schema_steps (component text NOT NULL, step integer NOT NULL, "
            "digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, step))");
    const auto applied = tx.exec_params("SELECT digest FROM schema_steps WHERE component = $1 ORDER BY step", name);
    if (applied.size() > steps.size()) {
        throw std::runtime_error{
            fmt::format("the database has {} schema steps of \"{}\" and this program knows {}: it was "
                        "set up by a newer Semel; run that one",
                        applied.size(), name, steps.size())};
    }
    int number = 0;
    for (const auto sql : steps) {
        const std::string text{sql};
        const auto digest = tx.exec_params1("SELECT md5($1)", text)[0].as<std::string>();
        ++number;
        if (static_cast<std::size_t>(number) <= applied.size()) {
            if (applied[static_cast<pqxx::result::size_type>(number - 1)][0].as<std::string>() != digest) {
                throw std::runtime_error{
                    fmt::format("schema step {} of \"{}\" was applied with another text: a step that ran "
                                "somewhere is never changed, add a new one after it",
                                number, name)};
            }
            continue;
        }
        tx.exec(text);
        tx.exec_params("INSERT INTO schema_steps (component, step, digest) VALUES ($1, $2, $3)", name, number, digest);
    }
    tx.commit();
}

} // namespace semel::postgres
