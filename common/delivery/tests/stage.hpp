#pragma once
// What the integration tests of the engine share: topics, a campaign and a Redis of their own, engines as processes,
// and the truth: what was dispatched, what the gateways accepted, what the events say.

#include <base/must.hpp>
#include <crypto/hash.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/campaign.pb.h>
#include <semel/v1/events.pb.h>

#include <boost/asio/awaitable.hpp>
#include <support/backing.hpp>
#include <support/play.hpp>
#include <support/records.hpp>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>
#include <support/stepped_clock.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace semel::delivery::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using support::broker;
using support::play;

using base::must;

/// Looks again and again; fails the test after the deadline.
void wait_until(const std::function<bool()>& holds, const std::string& what,
                std::chrono::seconds patience = 40s * support::slowness);

struct acceptance {
    std::uint32_t attempt = 0;
    std::string gateway;
    std::int64_t at_us = 0; // steady clock of the machine
};

/// What one notification went through, by its events; each counted once.
struct story {
    int accepted = 0;
    int failed = 0;
    int deferred = 0;
    int awaiting = 0;
    int in_doubt = 0;
    int dead = 0;
    std::vector<v1::Event> events;
    bool told() const noexcept { return accepted + failed + in_doubt > 0; }
};

class stage {
  public:
    static constexpr std::int32_t partitions = 2;

    explicit stage(std::string bootstrap = broker());
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    ~stage();

    support::redis_server redis;
    std::chrono::milliseconds session = 6s;
    std::chrono::milliseconds cut_off_after = 20s;
    std::string gateways = "gateway-a:64:0:2:0"; // NAME:WINDOW:RATE:DELAY_MS:FAILING[:BEHAVIOUR],...

    /// Writes these dispatches in one transaction. The address is BEHAVIOUR/N.
    void dispatch(const std::string& behaviour, int count, const std::function<void(v1::Dispatch&)>& change = {});
    /// One record of dispatch.* as it is.
    void write(std::int32_t partition, const std::string& record);
    /// Writes so many to each partition, in a transaction that is rolled back.
    void roll_back(int count);
    /// Nothing waits for the dispatchers, by their committed offsets: what plan paces itself by.
    bool no_backlog() const;
    void set(v1::CampaignPhase);
    void set_rate(std::uint32_t per_second);

    /// `wall`: its wall clock, instead of the machine's.
    void start(const std::string& instance = "a", const std::string& failpoint = {},
               const support::stepped_clock* wall = nullptr);
    void signal(const std::string& instance, int number) const;
    /// Waits for its end and says how it ended, as waitpid() does; kills it after the deadline.
    int end_of(const std::string& instance, std::chrono::seconds patience = 20s * support::slowness);
    bool running(const std::string& instance);
    void kill(const std::string& instance);
    bool stopped(const std::string& instance) const;

    std::map<std::string, std::vector<acceptance>> accepted() const; // by notification, hex
    std::size_t acceptances() const;
    std::map<std::string, story> stories() const; // of everything dispatched
    std::size_t told() const;
    std::size_t dispatched() const noexcept { return behaviours_.size(); }
    std::size_t in_doubt() const;
    /// Committed next and the reserved end, over all partitions of the group: what may be out.
    std::size_t reserved() const;
    const std::map<std::string, std::string>& behaviours() const noexcept { return behaviours_; }
    std::vector<kafka::record> records(const std::string& topic) const;

    /// Waits until every notification has been told of, then holds all against the truth: nobody lost, nobody twice,
    /// everything that is accepted and unanswered listed.
    void expect_the_truth(std::chrono::seconds patience = 40s * support::slowness) const;

    const std::string& prefix() const noexcept { return prefix_; }
    const std::string& bootstrap() const noexcept { return bootstrap_; }
    std::string log_file() const { return log_; }
    std::string key_hex() const;
    std::vector<std::string> rig_words(const std::string& instance) const;

  private:
    void write_campaign();

    std::string bootstrap_;
    std::string prefix_;
    std::string log_;
    crypto::key256 kek_ = crypto::key256::random();
    crypto::campaign_key key_ = crypto::campaign_key::random();
    v1::Campaign campaign_;
    std::string artifact_id_;
    std::map<std::string, std::string> behaviours_; // by notification, hex
    std::map<std::string, pid_t> processes_;
};

} // namespace semel::delivery::testing
