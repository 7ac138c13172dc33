#pragma once
// Which record is started next: partitions in turn, as many as this process may have under way, and none while nothing
// can be sent.

#include <delivery/engine/courier.hpp>
#include <delivery/engine/lanes.hpp>
#include <delivery/engine/outbox.hpp>
#include <delivery/engine/parking.hpp>
#include <delivery/engine/partitions.hpp>
#include <delivery/engine/transactions.hpp>

#include <cstddef>

namespace semel::delivery {

class feeder {
  public:
    feeder(const ports&, partitions&, const parking&, const lanes&, outbox&, courier&, spawner);

    /// To be called whenever something may have become startable.
    void feed();
    /// Starts nothing more.
    void stop() noexcept { stopped_ = true; }
    std::size_t started() const noexcept { return started_; }

  private:
    bool may_send() const;
    bool may_start(const partition&, base::instant now) const;
    bool only_a_commit_helps(const partition&, base::instant now) const;
    asio::awaitable<void> deliver(partition_ptr, item, at_work);

    ports ports_;
    partitions& partitions_;
    const parking& parking_;
    const lanes& lanes_;
    outbox& outbox_;
    courier& courier_;
    spawner spawn_;
    std::size_t most_;
    std::size_t started_ = 0;
    bool inside_ = false;
    bool came_back_ = false; // a record that feed() started, before it had started the next
    bool stopped_ = false;
};

} // namespace semel::delivery
