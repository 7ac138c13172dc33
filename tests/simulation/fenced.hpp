#pragma once
// A service of one process that works in transactions under an id of its own, which a successor fences: what plan and
// receipts have in common here.

#include "broker.hpp"
#include "world.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace semel::simulation {

class fenced {
  public:
    fenced(const fenced&) = delete;
    fenced& operator=(const fenced&) = delete;
    /// Until its process ends. Begins anew where it cannot tell what became of a transaction.
    asio::awaitable<void> run();

  protected:
    fenced(world&, process, broker&, const sim_log::trouble&, std::string transactional_id);
    ~fenced() = default;

    /// Takes up what stands.
    virtual void restore() = 0;
    /// One round; false: it has to begin anew.
    virtual asio::awaitable<bool> live() = 0;
    /// Fences whoever was before; false: no answer came.
    asio::awaitable<bool> fence();
    using records = std::vector<std::pair<topic_partition, std::string>>;
    /// One transaction, with the position that it leads to at `where`. Without an answer the position tells whether it
    /// was committed: whoever asks under a new epoch knows that nothing of the old one is on its way.
    asio::awaitable<bool> commit(records, topic_partition where, std::string position);
    journey way();

    world& world_;
    process of_;
    broker& broker_;
    const sim_log::trouble& trouble_;
    std::string transactional_id_;
    std::uint64_t epoch_ = 0;
};

} // namespace semel::simulation
