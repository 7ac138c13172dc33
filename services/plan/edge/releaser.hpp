#pragma once
// Second pass: decides the rows of launched waves and puts what follows into one Kafka transaction after another:
// dispatch.*, events, the position in `progress`, and the turn that fences former owners. Never repeated: a row's
// output exists if and only if its position has passed it. Rows are released at the pace of the fastest channel, and
// what the others leave behind is read once more for each of them, so that none holds another (core/position.hpp). The
// register is only asked; when it was lost, release waits until the registrars have built it again. One strand.

#include "backlog.hpp"
#include "partition_group.hpp"
#include "probe.hpp"
#include "registrar.hpp"
#include "wave_reader.hpp"

#include <base/known_time.hpp>

#include <plan/core/position.hpp>
#include <plan/core/release_message.hpp>
#include <plan/core/room.hpp>
#include <plan/edge/register_store.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace semel::plan {

class releaser {
  public:
    /// `redis` and `probe` must outlive this. `register_missing` is called when the register is not what it must be.
    releaser(boost::asio::any_io_executor, kafka_place, redis::client& redis, campaign_source, probe&,
             std::function<void()> register_missing, base::time_source, pace);

    boost::asio::awaitable<void> run() { return group_.run(); }
    void stop() { group_.stop(); }
    void wake() { group_.wake(); }

  private:
    /// What of a wave is released next.
    struct errand {
        bool tells = true; // rows that nobody has looked at; else those that a channel has left behind
        channel_set on{};  // the channels whose messages are released
        std::vector<stretch> stretches{};
    };
    struct pass;
    struct batch;
    struct output;
    using messages_by_channel = std::map<base::channel, double>;

    boost::asio::awaitable<void> work(share_ptr);
    boost::asio::awaitable<base::result<void>> recover(share_ptr);
    boost::asio::awaitable<base::result<bool>> advance_all(share_ptr, catalog::campaign_ptr);
    /// Some seconds of one wave. False: there is nothing to do for it now.
    boost::asio::awaitable<base::result<bool>> advance(share_ptr, catalog::campaign_ptr, const v1::Wave&);
    boost::asio::awaitable<base::result<session>> open(const catalog::campaign&, std::span<const mark> required);
    boost::asio::awaitable<base::result<bool>> advance(pass&);
    boost::asio::awaitable<base::result<void>> comes_in_order(catalog::campaign_ptr, const v1::Wave&);
    bool goes_on(const pass&) const;
    base::fault lost(const base::fault&);

    // releaser_room.cpp: who may release how much of what
    boost::asio::awaitable<void> share_room(const share&, const std::vector<catalog::campaign_ptr>&);
    messages_by_channel left_of(const share&, const catalog::campaign&) const;
    std::vector<errand> errands(const share&, const catalog::campaign&, const v1::Wave&, plan::stance);
    void note_room(base::channel, bool full);
    double room(const share&, const catalog::campaign&, base::channel);
    double left_of_rate(const share&, const catalog::campaign&);
    std::size_t allowed(const pass&, const messages_by_channel& on_its_way);
    position position_of(const catalog::campaign&, const v1::Wave&, const v1::AudienceSpan&) const;
    void note_held(const pass&);
    std::int64_t end_of(const catalog::campaign&, const v1::Wave&, const v1::AudienceSpan&, plan::stance) const;

    // releaser_batch.cpp: a batch of rows, from `audience` to the commit
    boost::asio::awaitable<base::result<batch>> prepare(pass&, std::size_t chunks);
    boost::asio::awaitable<base::result<void>> decide_all(pass&, batch&);
    boost::asio::awaitable<base::result<std::vector<standing>>> look_up(const pass&,
                                                                        const std::vector<crypto::hash128>& keys);
    boost::asio::awaitable<base::result<void>> emit(pass&, batch&);
    boost::asio::awaitable<base::result<void>> build(const pass&, batch&, output&);
    boost::asio::awaitable<void> produce(kafka::transaction&, const pass&, const output&);
    boost::asio::awaitable<void> produce(kafka::transaction&, const released&);
    boost::asio::awaitable<std::vector<kafka::commit>> produce_positions(kafka::transaction&, const pass&, output&);
    void count(const pass&, const batch&, const output&);

    boost::asio::any_io_executor executor_;
    kafka_place place_;
    register_store store_;
    campaign_source campaigns_;
    probe& probe_;
    std::function<void()> register_missing_;
    base::time_source time_;
    pace pace_;
    backlog backlog_;
    wave_reader reader_;
    partition_group group_;
    // Of the present share.
    std::map<std::string, position> positions_;                                      // by release_progress_key
    std::map<std::pair<std::string, std::uint32_t>, std::uint32_t> decided_without_; // campaign, wave -> 0: in order
    std::map<base::channel, shared_room> rooms_;  // as they were shared out when this round began
    std::map<std::string, allowance> allowances_; // campaigns with a rate of their own
    /// Where a canary ends in a partition, once it was read: else it would be read again in each round. The mark itself
    /// is the campaign's (core/canary.hpp); this is what it comes to in an audience that does not change.
    struct canary_end {
        std::uint64_t last_row = 0;
        std::int64_t at = 0;
    };
    std::map<std::string, canary_end> canary_ends_; // by release_progress_key
    std::map<std::string, std::string> said_;
    std::map<base::channel, no_room> no_room_;
};

} // namespace semel::plan
