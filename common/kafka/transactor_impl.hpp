#pragma once
// Internal: the transactor's state, and the signatures of its parts.

#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <kafka/transactor.hpp>
#include <runtime/condition.hpp>
#include <runtime/mutex.hpp>
#include <runtime/retry.hpp>

namespace semel::kafka {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

using mutable_tenure = std::shared_ptr<tenure>;

struct transactor::impl {
    /// Apart, for a frame that outlives us.
    struct watch {
        explicit watch(const asio::any_io_executor& ex)
            : changed(ex) {}
        runtime::condition changed;
        bool handling = false; // the tenant is being called
    };

    impl(asio::any_io_executor, transactor_options);

    // transactor.cpp
    asio::awaitable<void> run(tenant&, asio::awaitable<void> stop);
    asio::awaitable<void> serve(tenant&);
    asio::awaitable<std::optional<event>> next();
    asio::awaitable<void> until_again();
    asio::awaitable<void> until_stopped(asio::awaitable<void> stop);
    asio::awaitable<mutable_tenure> make_tenure(std::vector<topic_partition>, std::shared_ptr<const membership>);
    asio::awaitable<void> take(tenant&, std::vector<topic_partition>);
    asio::awaitable<void> take_again(tenant&);
    void fetch_or_not();
    asio::awaitable<void> end(tenant&, bool lost);
    asio::awaitable<void> cut_off(mutable_tenure);

    // transactor_commit.cpp
    asio::awaitable<std::optional<runtime::mutex::hold>> turn_for(tenure_ptr);
    void check(const tenure_ptr&, const std::vector<kafka::commit>&) const;
    asio::awaitable<settled> commit(mutable_tenure, std::vector<kafka::commit>);
    asio::awaitable<fate> read_back(tenure_ptr, std::vector<kafka::commit> wanted);
    asio::awaitable<settled> failed(mutable_tenure, commit_result, steady::time_point began);

    void begin_again(const tenure_ptr& of);
    bool is_present(const tenure_ptr& of) const { return of && of == now && !of->over_; }

    transactor_options options;
    transactional_producer producer;
    kafka::consumer consumer;
    runtime::mutex turns; // of transactions
    std::shared_ptr<watch> watched;
    runtime::condition& changed; // what the coroutines wait for
    mutable_tenure now;          // null: no partition is ours
    bool take_anew = false;      // the present partitions, in a new tenure
    bool undecided = false;      // a commit's result is unknown, and whoever asked has gone
    bool unanswered = false;     // what the group decided last
    bool stopping = false;
    runtime::retry pauses{{.first = std::chrono::milliseconds{100}, .longest = std::chrono::seconds{2}}};
    std::optional<steady::time_point> failing_since;
    std::optional<steady::time_point> lapsed_at; // the group's word must come soon after
};

/// A transaction that has begun and not ended.
struct transaction::open {
    transactor::impl* in = nullptr;
    mutable_tenure of;
    std::optional<runtime::mutex::hold> turn;
};

} // namespace semel::kafka
