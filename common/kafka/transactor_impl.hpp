#pragma once
// Internal: the transactor's state, and the signatures of its parts.

#include <kafka/consumer.hpp>
#include <kafka/patience.hpp>
#include <kafka/producer.hpp>
#include <kafka/transactor.hpp>
#include <runtime/condition.hpp>
#include <runtime/mutex.hpp>

#include <algorithm>
#include <deque>
#include <set>

namespace semel::kafka {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

inline std::chrono::milliseconds left_until(steady::time_point then) {
    using std::chrono::milliseconds;
    return std::max(std::chrono::ceil<milliseconds>(then - steady::now()), milliseconds{0});
}

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
    asio::awaitable<void> answer(tenant&, event);
    asio::awaitable<void> read(tenant&, records);
    asio::awaitable<void> listen();
    void hear(const event&);
    asio::awaitable<std::optional<event>> next();
    asio::awaitable<void> until_again();
    asio::awaitable<void> until_stopped(asio::awaitable<void> stop);
    asio::awaitable<mutable_tenure> make_tenure(std::vector<topic_partition>, std::shared_ptr<const membership>);
    asio::awaitable<void> take(tenant&, std::vector<topic_partition>);
    asio::awaitable<void> take_again(tenant&);
    void fetch_or_not();
    void seek(const topic_partition&, offset next);
    void pause(const topic_partition&);
    void resume(const topic_partition&);
    asio::awaitable<void> end(tenant&, bool lost);
    asio::awaitable<void> cut_off(mutable_tenure);

    // transactor_commit.cpp
    asio::awaitable<std::optional<runtime::mutex::hold>> turn_for(tenure_ptr);
    void check(const tenure_ptr&, const std::vector<kafka::commit>&) const;
    asio::awaitable<settled> commit(mutable_tenure, std::vector<kafka::commit>);
    asio::awaitable<std::vector<kafka::commit>> stands(std::vector<topic_partition>);
    asio::awaitable<fate> read_back(tenure_ptr, std::vector<kafka::commit> wanted);
    asio::awaitable<settled> failed(mutable_tenure, commit_result);
    asio::awaitable<void> pause_before_next(tenure_ptr);

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
    bool held_back = false;           // no partition is fetched: the tenant is long in read()
    std::deque<event> heard;          // meanwhile
    std::set<topic_partition> paused; // by the tenant
    kafka::patience patience;
    std::optional<steady::time_point> lapsed_at; // the group's word must come soon after
};

/// A transaction that has begun and not ended.
struct transaction::open {
    transactor::impl* in = nullptr;
    mutable_tenure of;
    std::optional<runtime::mutex::hold> turn;
};

} // namespace semel::kafka
