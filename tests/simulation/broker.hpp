#pragma once
// A Kafka that keeps what it acknowledges: partitions with transactions, one group with static members, committed
// offsets, and the fencing that docs/exactly-once.md rests on. What may go wrong is on the way to it and back.

#include "call.hpp"
#include "world.hpp"

#include <delivery/engine/ports.hpp>
#include <kafka/types.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace semel::simulation {

using kafka::topic_partition;

struct stored {
    kafka::offset at = 0;
    std::string value;
};

/// As whom a commit is made: bound once, at assignment.
struct bound_as {
    std::uint64_t generation = 0;
    std::uint64_t incarnation = 0;
};

class broker {
  public:
    broker(world&, std::vector<topic_partition> read_by_the_group, duration session);

    /// One transaction of somebody else's: plan's.
    void append(const topic_partition&, const std::vector<std::string>& values);
    /// So many records that nobody will ever read lie there from now on.
    void roll_back(const topic_partition&, std::size_t records);
    const std::vector<stored>& records(const topic_partition& of) { return log_[of].records; }
    kafka::offset end(const topic_partition& of) { return log_[of].end; }
    kafka::commit committed(const topic_partition&) const;

    /// Fences whoever had the id before.
    std::uint64_t new_epoch(const std::string& transactional_id) { return ++epochs_[transactional_id]; }
    struct transaction {
        std::string id;
        std::uint64_t epoch = 0;
        std::vector<std::pair<topic_partition, std::string>> records;
        std::vector<kafka::commit> offsets;
        bound_as as;
    };
    enum class end_of : unsigned char { committed, fenced, not_a_member };
    /// All or nothing.
    end_of commit(const transaction&);

    /// A process becomes the group's member of this slot. Its incarnation.
    std::uint64_t join(const std::string& slot, process);
    /// It has answered what it was told to give up.
    void answered(const std::string& slot, std::uint64_t incarnation);
    /// What the group tells it next; nothing for now.
    std::optional<delivery::log_event> told(const std::string& slot, std::uint64_t incarnation);
    bool is_member(const std::string& slot, std::uint64_t incarnation) const;
    /// Wakes this wait at whatever may be news to a member.
    void tell_news_to(world::ticket waiting) { listening_.push_back(waiting); }
    void news();
    /// Each record and each checkpoint, once it is committed.
    std::function<void(const topic_partition&, const std::string& value)> on_record;
    std::function<void(const kafka::commit&)> on_commit;
    /// What this process sends arrives only then, and it hears nothing: its session may end without its knowledge.
    void cut_off(process p, instant until) { cut_until_[p] = until; }
    instant reachable_from(process p) const;
    bool hears(process p) const { return reachable_from(p) <= world_.now(); }
    std::uint64_t generation() const noexcept { return generation_; }

  private:
    struct part {
        std::vector<stored> records;
        kafka::offset begin = 0;
        kafka::offset end = 0;
    };
    struct member {
        process of = nobody;
        std::uint64_t incarnation = 0;
        instant seen{};
        bool ready = true; ///< has nothing, or has given it up
        std::vector<topic_partition> has;
        std::deque<delivery::log_event> mail;
    };
    void watch();
    void rebalance();
    void finish_rebalance();

    world& world_;
    std::vector<topic_partition> read_;
    duration session_;
    std::map<topic_partition, part> log_;
    std::map<topic_partition, kafka::commit> offsets_;
    std::map<std::string, std::uint64_t> epochs_;
    std::map<process, instant> cut_until_;
    std::vector<world::ticket> listening_;
    std::map<std::string, member> members_;
    std::uint64_t generation_ = 0;
    std::uint64_t incarnations_ = 0;
    bool rebalancing_ = false;
};

/// The engine's log over it, for one process.
class sim_log final : public delivery::log_reader, public delivery::log_writer {
  public:
    struct trouble {
        double answer_lost = 0;
        double slow = 0;     ///< so slow that nobody waits for it
        double crowded = 0;  ///< a record waits for room in the producer's queue
        double given_up = 0; ///< plan or receipts roll a transaction back, written as it is, and begin anew
    };
    sim_log(world&, process, broker&, std::string slot, const trouble&);

    asio::awaitable<delivery::log_event> next() override;
    void begin(std::span<const kafka::start>) override;
    void release(const kafka::revoked&) override;
    void pause(std::span<const topic_partition>) override;
    void resume(std::span<const topic_partition>) override;
    asio::awaitable<base::result<std::vector<kafka::commit>>> committed(std::vector<topic_partition>) override;
    void bind_membership() override;
    asio::awaitable<void> close() override;
    asio::awaitable<base::result<void>> leave() override;

    asio::awaitable<void> init() override;
    void begin() override;
    asio::awaitable<void> produce(topic_partition to, std::string_view key, std::string_view value) override;
    asio::awaitable<kafka::commit_result> commit(std::vector<kafka::commit> offsets) override;
    asio::awaitable<void> rebuild() override;

  private:
    journey way();
    std::optional<delivery::log_event> fetch();
    std::optional<delivery::log_event> pass();

    world& world_;
    process of_;
    broker& broker_;
    std::string slot_;
    const trouble& trouble_;
    std::uint64_t incarnation_ = 0;
    std::map<topic_partition, kafka::offset> positions_;
    std::set<topic_partition> paused_;
    std::vector<kafka::start> passed_; // what next() gave points into it
    bound_as as_;
    bound_as begun_as_;
    std::uint64_t epoch_ = 0;
    std::vector<std::pair<topic_partition, std::string>> unsaid_;
};

} // namespace semel::simulation
