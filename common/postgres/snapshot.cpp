#include "snapshot.hpp"

namespace semel::postgres {

snapshot::snapshot(pool& p)
    : pool_(p)
    , held_(std::make_shared<held>()) {}

snapshot::~snapshot() {
    // Ending a transaction waits for the server.
    boost::asio::post(pool_.threads(), [held = std::move(held_)]() mutable {
        held->tx.reset();
        held->connection.reset();
    });
}

pqxx::work& snapshot::begun(held& h, pool& p) {
    if (!h.tx) {
        h.connection = p.connect();
        h.tx = std::make_unique<pqxx::work>(*h.connection);
        h.tx->exec0("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    }
    return *h.tx;
}

} // namespace semel::postgres
