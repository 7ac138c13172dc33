#pragma once
// Second pass: decides the rows of launched waves and puts what follows into one Kafka transaction after another:
// dispatch.*, events, the position in `progress`, and the turn that fences former owners. Never repeated: a row's
// output exists if and only if its position has passed it. The register is only asked; when it was lost, release waits
// until the registrars have built it again. One strand.

#include "backlog.hpp"
#include "partition_group.hpp"
#include "probe.hpp"
#include "register_store.hpp"
#include "registrar.hpp"
#include "wave_reader.hpp"

#include <base/known_time.hpp>
#include <kafka/producer.hpp>

#include <plan/core/release_message.hpp>

#include <functional>
#include <map>
#include <optional>

namespace semel::plan {

class releaser {
  public:
    /// `redis` and `probe` must outlive this. `register_missing` is called when the register is not what it must be.
    releaser(boost::asio::any_io_executor, kafka_place, redis::client& redis, campaign_source, probe&,
             std::function<void()> register_missing, base::time_source, pace = {});

    boost::asio::awaitable<void> run() { return group_.run(); }
    void stop() { group_.stop(); }
    void wake() { group_.wake(); }

  private:
    struct pass;
    struct batch;

    boost::asio::awaitable<void> work(std::shared_ptr<share>);
    boost::asio::awaitable<base::result<void>> recover(std::shared_ptr<share>);
    /// Some seconds of one wave. False: there is nothing to do for it now.
    boost::asio::awaitable<base::result<bool>> advance(std::shared_ptr<share>, catalog::campaign_ptr, const v1::Wave&);
    boost::asio::awaitable<base::result<bool>> advance(pass&);
    boost::asio::awaitable<base::result<void>> comes_in_order(catalog::campaign_ptr, const v1::Wave&);
    boost::asio::awaitable<base::result<batch>> prepare(pass&, std::size_t chunks);
    boost::asio::awaitable<base::result<void>> emit(pass&, batch&);
    boost::asio::awaitable<void> produce(const released&);
    std::vector<stretch> left_of(const share&, const catalog::campaign&, const v1::Wave&) const;
    std::size_t allowed(const pass&, double not_yet_counted);
    bool goes_on(const pass&) const;
    base::fault lost(const base::fault&);

    boost::asio::any_io_executor executor_;
    kafka_place place_;
    register_store store_;
    campaign_source campaigns_;
    probe& probe_;
    std::function<void()> register_missing_;
    base::time_source time_;
    pace pace_;
    backlog backlog_;
    kafka::transactional_producer producer_;
    wave_reader reader_;
    partition_group group_;
    bool trusted_ = false; // as in registrar
    std::map<std::int32_t, std::uint64_t> turns_;
    std::map<std::string, v1::Progress> positions_;                                  // by key of `progress`
    std::map<std::pair<std::string, std::uint32_t>, std::uint32_t> decided_without_; // campaign, wave -> 0: in order
    std::map<std::string, allowance> allowances_; // campaigns with a rate of their own
    std::map<std::string, std::string> said_;
};

} // namespace semel::plan
