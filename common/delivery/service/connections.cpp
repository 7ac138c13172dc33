#include "connections.hpp"

#include <delivery/engine/host_clock.hpp>
#include <delivery/kafka/record_log.hpp>
#include <delivery/redis/rates.hpp>
#include <delivery/redis/redis_store.hpp>
#include <runtime/race.hpp>
#include <wire/topics.hpp>

#include <tuple>
#include <utility>

namespace semel::delivery {

namespace {

std::vector<std::string> topics_of(const engine_options& o) {
    std::vector<std::string> topics{o.prefix + wire::dispatch(o.channel)};
    for (std::size_t tier = 0; tier < wire::tiers.size(); ++tier) {
        topics.push_back(o.prefix + wire::retry(o.channel, tier));
    }
    topics.push_back(o.prefix + wire::parked(o.channel));
    return topics;
}

record_log_options log_options(connection_options o, const engine_options& e) {
    return {.bootstrap = std::move(o.bootstrap),
            .group = e.prefix + std::string{base::to_string(e.channel)},
            .instance = std::move(o.instance),
            .topics = topics_of(e),
            .session_timeout = o.session_timeout};
}

template <class Id>
asio::awaitable<void> wait_for(catalog::catalog& known, Id id) {
    std::ignore = co_await known.get(std::move(id));
}

asio::awaitable<void> at_most(std::chrono::milliseconds patience) {
    co_await runtime::sleep(patience);
}

template <class Ptr, class Id>
asio::awaitable<Ptr> within(catalog::catalog& known, Id id, std::chrono::milliseconds patience) {
    if (auto found = known.find(id)) {
        co_return found;
    }
    auto waiting = wait_for(known, id);
    auto timeout = at_most(patience);
    co_await runtime::race(std::move(waiting), std::move(timeout));
    co_return known.find(id);
}

class followed_catalog final : public knowledge {
  public:
    explicit followed_catalog(catalog::catalog& known)
        : known_(known) {}

    asio::awaitable<void> loaded() override { return known_.loaded(); }
    catalog::campaign_ptr find(const base::campaign_id& id) const override { return known_.find(id); }
    std::vector<catalog::campaign_ptr> campaigns() const override { return known_.campaigns(); }
    std::uint64_t version() const noexcept override { return known_.version(); }
    asio::awaitable<catalog::campaign_ptr> find_within(base::campaign_id id, std::chrono::milliseconds wait) override {
        return within<catalog::campaign_ptr>(known_, std::move(id), wait);
    }
    asio::awaitable<catalog::artifact_ptr> find_within(base::artifact_id id, std::chrono::milliseconds wait) override {
        return within<catalog::artifact_ptr>(known_, id, wait);
    }

  private:
    catalog::catalog& known_;
};

} // namespace

struct connections::impl {
    impl(const asio::any_io_executor& ex, connection_options o, const engine_options& e, catalog::catalog& known,
         redis::client& redis)
        : clock(ex, o.time)
        , log(ex, log_options(std::move(o), e))
        , store(ex, redis, e.prefix)
        , tokens(ex, redis)
        , campaigns(known) {}

    host_clock clock;
    record_log log;
    redis_store store;
    rates tokens;
    followed_catalog campaigns;
};

connections::connections(asio::any_io_executor ex, connection_options o, const engine_options& e,
                         catalog::catalog& known, redis::client& redis)
    : impl_(std::make_unique<impl>(ex, std::move(o), e, known, redis)) {}
connections::~connections() = default;

ports connections::open() noexcept {
    auto& i = *impl_;
    return {.clock = i.clock,
            .reader = i.log,
            .writer = i.log,
            .store = i.store,
            .tokens = i.tokens,
            .knowledge = i.campaigns};
}

} // namespace semel::delivery
