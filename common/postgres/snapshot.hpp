#pragma once
// A transaction that is read in pieces, as fast as somebody takes them: a connection of its own, so that whoever reads
// slowly keeps none of the pool's. One piece at a time; the pieces run on the pool's threads. Who stops reading is cut
// off by the pool's limit for transactions that stand still.
//
//   auto view = std::make_shared<postgres::snapshot>(pool);
//   co_await view->run([](pqxx::work& tx) { tx.exec("DECLARE list CURSOR FOR SELECT ..."); });
//   auto page = co_await view->run([](pqxx::work& tx) { return tx.exec("FETCH 1000 FROM list"); });

#include <postgres/pool.hpp>

#include <memory>
#include <utility>

namespace semel::postgres {

class snapshot {
  public:
    /// Connects with the first piece. The pool outlives it.
    explicit snapshot(pool&);
    /// Closes the connection, on a thread of the pool; not while a piece runs.
    ~snapshot();
    snapshot(const snapshot&) = delete;
    snapshot& operator=(const snapshot&) = delete;

    /// The function must own what it uses. All pieces see the database as it was at the first; none may write.
    template <class F>
    auto run(F work) -> boost::asio::awaitable<std::invoke_result_t<F&, pqxx::work&>> {
        using R = std::invoke_result_t<F&, pqxx::work&>;
        co_return co_await pool_.template on_thread<R>(
            [held = held_, self = &pool_, work = std::move(work)]() mutable -> R { return work(begun(*held, *self)); });
    }

  private:
    struct held {
        std::unique_ptr<pqxx::connection> connection;
        std::unique_ptr<pqxx::work> tx;
    };
    static pqxx::work& begun(held&, pool&);

    pool& pool_;
    std::shared_ptr<held> held_;
};

} // namespace semel::postgres
