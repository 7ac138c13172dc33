#include <base/must.hpp>
#include <kafka/consumer.hpp>
#include <kafka/handles.hpp>
#include <kafka/producer.hpp>
#include <kafka/transactor.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <runtime/retry.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace semel::kafka {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using base::must;
using steady = std::chrono::steady_clock;

namespace {

constexpr runtime::retry::pace after_failure{.first = 100ms, .longest = 2s};

std::chrono::milliseconds left_until(steady::time_point then) {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(then - steady::now()), 0ms);
}

consumer_options consuming(const transactor_options& o) {
    return {.bootstrap = o.bootstrap,
            .group = o.group,
            .instance = o.instance,
            .topics = o.topics,
            .session_timeout = o.session_timeout,
            .batch = o.batch,
            .prefetch_kib = o.prefetch_kib,
            .tell_ends = o.tell_ends};
}

positions as_positions(const std::vector<commit>& committed) {
    positions out;
    for (const auto& c : committed) {
        out[c.at] = {c.next, c.metadata};
    }
    return out;
}

} // namespace

bool tenure::owns(const topic_partition& at) const {
    return std::ranges::binary_search(partitions_, at);
}

std::vector<start> tenure::starts() const {
    std::vector<start> out;
    for (const auto& at : partitions_) {
        const auto stands = committed_.find(at);
        out.push_back({.at = at, .next = stands == committed_.end() ? 0 : stands->second.next});
    }
    return out;
}

using mutable_tenure = std::shared_ptr<tenure>;

struct transactor::impl {
    impl(asio::any_io_executor ex, transactor_options o)
        : options(std::move(o))
        , producer(ex, {.bootstrap = options.bootstrap, .transactional_id = options.transactional_id})
        , consumer(ex, consuming(options))
        , turns(ex)
        , changed(ex) {}

    // The loop that hears what the group decides.
    asio::awaitable<void> run(tenant&, asio::awaitable<void> stop);
    asio::awaitable<void> serve(tenant&);
    asio::awaitable<std::optional<event>> next();
    asio::awaitable<void> until_again();
    asio::awaitable<void> until_stopped(asio::awaitable<void> stop);
    asio::awaitable<mutable_tenure> make_tenure(std::vector<topic_partition>, std::shared_ptr<const membership>);
    asio::awaitable<void> take(tenant&, std::vector<topic_partition>);
    asio::awaitable<void> take_again(tenant&);
    asio::awaitable<void> end(tenant&, bool lost);
    asio::awaitable<void> cut_off(mutable_tenure);

    // One transaction.
    asio::awaitable<std::optional<runtime::mutex::hold>> turn_for(tenure_ptr);
    void check(const tenure_ptr&, const std::vector<commit>&) const;
    asio::awaitable<settled> commit(mutable_tenure, std::vector<commit>);
    asio::awaitable<fate> read_back(tenure_ptr, std::vector<commit> wanted);
    asio::awaitable<settled> failed(mutable_tenure, commit_result, steady::time_point began);

    void begin_again(const tenure_ptr& of);
    bool is_present(const tenure_ptr& of) const { return of && of == now && !of->over_; }

    transactor_options options;
    transactional_producer producer;
    kafka::consumer consumer;
    runtime::mutex turns;       // of transactions
    runtime::condition changed; // what the coroutines below wait for
    mutable_tenure now;         // null: no partition is ours
    bool take_anew = false;     // the present partitions, in a new tenure
    bool undecided = false;     // a commit's result is unknown, and whoever asked has gone
    bool unanswered = false;    // what the group decided last
    bool handling = false;      // the tenant is being called
    bool stopping = false;
    runtime::retry pauses{after_failure};
    std::optional<steady::time_point> failing_since;
    std::optional<steady::time_point> lapsed_at; // the group's word must come soon after
};

/// A transaction that has begun and not ended.
struct transaction::open {
    std::shared_ptr<transactor::impl> in;
    mutable_tenure of;
    std::optional<runtime::mutex::hold> turn;
};

asio::awaitable<void> transactor::impl::run(tenant& who, asio::awaitable<void> stop) {
    co_await runtime::race(serve(who), until_stopped(std::move(stop)));
    if (now) {
        co_await end(who, false);
    }
    if (unanswered) { // librdkafka cannot leave the group before it has its answer
        consumer.release({});
    }
    co_await consumer.close();
}

asio::awaitable<void> transactor::impl::until_stopped(asio::awaitable<void> stop) {
    co_await std::move(stop);
    stopping = true;
    if (now) {
        now->ending_ = true;
    }
    const auto until = steady::now() + options.drain;
    while (handling && steady::now() < until) {
        co_await changed.wait_for(left_until(until));
    }
}

asio::awaitable<void> transactor::impl::serve(tenant& who) {
    struct busy {
        impl& self;
        explicit busy(impl& s)
            : self(s) {
            self.handling = true;
        }
        ~busy() {
            self.handling = false;
            self.changed.notify();
        }
        busy(const busy&) = delete;
    };
    co_await producer.init();
    for (;;) {
        auto happened = co_await next();
        if (stopping) {
            co_return;
        }
        const busy here{*this};
        if (!happened) {
            co_await take_again(who);
        } else if (auto* fetched = std::get_if<records>(&*happened)) {
            if (now && !now->over_) {
                co_await who.read(now, std::move(*fetched));
            }
        } else if (auto* given = std::get_if<assigned>(&*happened)) {
            co_await take(who, std::move(given->partitions));
        } else if (auto* gone = std::get_if<revoked>(&*happened)) {
            co_await end(who, gone->lost);
            consumer.release(*gone);
            unanswered = false;
            telemetry::log().info(
                "partitions_given_back",
                {{"group", options.group}, {"partitions", gone->partitions.size()}, {"lost", gone->lost}});
        } else {
            co_return;
        }
    }
}

/// Nothing: the present partitions are to be taken once more.
asio::awaitable<std::optional<event>> transactor::impl::next() {
    std::optional<event> happened;
    const auto hear = [](impl& self, std::optional<event>& into) -> asio::awaitable<void> {
        into = co_await self.consumer.next();
        self.unanswered = std::holds_alternative<assigned>(*into) || std::holds_alternative<revoked>(*into);
    };
    co_await runtime::race(hear(*this, happened), until_again());
    co_return happened;
}

asio::awaitable<void> transactor::impl::until_again() {
    while (!take_anew) {
        if (!lapsed_at) {
            co_await changed.wait();
        } else if (const auto left = left_until(*lapsed_at + options.stall_after); left > 0ms) {
            co_await changed.wait_for(left);
        } else {
            throw std::runtime_error{fmt::format("group {} has given our partitions away and does not say so; "
                                                 "starting anew",
                                                 options.group)};
        }
    }
}

asio::awaitable<mutable_tenure> transactor::impl::make_tenure(std::vector<topic_partition> given,
                                                              std::shared_ptr<const membership> as) {
    auto fresh = std::make_shared<tenure>();
    fresh->partitions_ = given;
    std::ranges::sort(fresh->partitions_);
    fresh->as_ = std::move(as);
    if (undecided) {
        co_await producer.rebuild();
        undecided = false;
    }
    if (!options.positions_elsewhere) {
        // Answers only when no transaction of a former owner is undecided.
        fresh->committed_ = as_positions(must(co_await consumer.committed(std::move(given))));
    }
    fresh->ending_ = stopping;
    failing_since.reset();
    pauses.reset();
    co_return fresh;
}

asio::awaitable<void> transactor::impl::take(tenant& who, std::vector<topic_partition> given) {
    auto as = consumer.current_membership(); // before anything is awaited
    if (now) {
        co_await end(who, true);
    }
    if (given.empty()) {
        consumer.begin({});
        unanswered = false;
        co_return;
    }
    const auto count = given.size();
    now = co_await make_tenure(std::move(given), std::move(as));
    consumer.begin(co_await who.take(now));
    unanswered = false;
    telemetry::log().info("partitions_taken", {{"group", options.group}, {"partitions", count}});
}

asio::awaitable<void> transactor::impl::take_again(tenant& who) {
    take_anew = false;
    if (!now || now->ending_) {
        co_return;
    }
    const auto before = now;
    co_await end(who, true);
    now = co_await make_tenure(before->partitions_, before->as_);
    for (const auto& [at, next] : co_await who.take(now)) {
        consumer.seek(at, next);
    }
    telemetry::log().warn("partitions_taken_again",
                          {{"group", options.group}, {"partitions", now->partitions_.size()}});
}

/// `lost`: nothing may be committed any more.
asio::awaitable<void> transactor::impl::end(tenant& who, bool lost) {
    const auto gone = now;
    gone->ending_ = true;
    gone->over_ = gone->over_ || lost;
    co_await runtime::race(who.leave(gone), cut_off(gone));
    gone->over_ = true;
    // A transaction under way is carried to its end, so that the next owner does not have to wait for its timeout.
    // Later than this its commit is refused: it is of a generation that is past.
    std::optional<runtime::mutex::hold> turn;
    const auto wait = [](runtime::mutex& m, std::optional<runtime::mutex::hold>& into) -> asio::awaitable<void> {
        into.emplace(co_await m.lock());
    };
    const auto give_up = [](std::chrono::milliseconds after) -> asio::awaitable<void> {
        co_await runtime::sleep(after);
    };
    co_await runtime::race(wait(turns, turn), give_up(options.drain));
    if (turn && producer.in_transaction()) {
        co_await producer.abort();
    }
    now.reset();
    take_anew = false;
    lapsed_at.reset();
}

asio::awaitable<void> transactor::impl::cut_off(mutable_tenure gone) {
    if (!co_await runtime::sleep(options.drain)) {
        co_return;
    }
    telemetry::log().warn("partitions_not_left_in_time", {{"group", options.group}});
    gone->over_ = true; // the tenant may still be leaving, but the group does not wait for a commit of it
    co_await runtime::sleep(std::chrono::milliseconds::max());
}

asio::awaitable<std::optional<runtime::mutex::hold>> transactor::impl::turn_for(tenure_ptr of) {
    if (of && of->over_) {
        co_return std::nullopt;
    }
    auto turn = co_await turns.lock();
    if (of && of->over_) {
        co_return std::nullopt; // since then
    }
    if (undecided) {
        co_await producer.rebuild();
        undecided = false;
        begin_again(now); // where the group stands now must be read
        if (of) {
            co_return std::nullopt;
        }
    } else if (producer.in_transaction()) {
        co_await producer.abort();
    }
    producer.begin();
    co_return std::move(turn);
}

void transactor::impl::check(const tenure_ptr& of, const std::vector<kafka::commit>& offsets) const {
    for (const auto& c : offsets) {
        if (!of || !of->owns(c.at)) {
            throw std::logic_error{fmt::format("group {}: a transaction moves {}, which its tenure does not own",
                                               options.group, name_of(c.at))};
        }
    }
}

asio::awaitable<settled> transactor::impl::commit(mutable_tenure of, std::vector<kafka::commit> offsets) {
    check(of, offsets);
    const auto began = steady::now();
    const auto wanted = offsets;
    auto result = co_await producer.commit(std::move(offsets), of ? of->as_ : nullptr);
    auto became = result.outcome == outcome::committed ? fate::committed : fate::not_committed;
    if (result.outcome == outcome::unknown) {
        telemetry::log().warn("transaction_of_unknown_outcome", {{"group", options.group}, {"why", result.why}});
        undecided = true;
        co_await producer.rebuild(); // whatever the old one had in flight is decided once its successor has started
        if (of && !options.positions_elsewhere && !wanted.empty()) {
            became = co_await read_back(of, wanted);
        }
        undecided = false;
    }
    if (became == fate::overtaken) {
        begin_again(of);
        co_return settled::over;
    }
    if (became != fate::committed) {
        co_return co_await failed(std::move(of), std::move(result), began);
    }
    for (const auto& c : wanted) {
        of->committed_[c.at] = {c.next, c.metadata};
    }
    failing_since.reset();
    pauses.reset();
    co_return settled::committed;
}

asio::awaitable<fate> transactor::impl::read_back(tenure_ptr of, std::vector<kafka::commit> wanted) {
    std::vector<topic_partition> asked;
    for (const auto& c : wanted) {
        asked.push_back(c.at);
    }
    const auto stands = must(co_await consumer.committed(std::move(asked)));
    co_return fate_of(of->committed_, wanted, stands);
}

asio::awaitable<settled> transactor::impl::failed(mutable_tenure of, commit_result result, steady::time_point began) {
    telemetry::log().warn("transaction_not_committed",
                          {{"group", options.group}, {"why", result.why}, {"lapsed", result.lapsed}});
    if (of && result.lapsed) {
        if (is_present(of)) {
            lapsed_at = steady::now();
            changed.notify();
        }
        of->over_ = true;
        co_return settled::over;
    }
    failing_since = failing_since.value_or(began);
    if (steady::now() - *failing_since > options.stall_after) {
        throw std::runtime_error{fmt::format("group {}: no transaction has been committed for {} s; is Kafka well? "
                                             "Starting anew: nothing is lost, what stands is read back",
                                             options.group,
                                             std::chrono::ceil<std::chrono::seconds>(options.stall_after).count())};
    }
    co_await runtime::sleep(pauses.next());
    co_return of && of->over_ ? settled::over : settled::undone;
}

void transactor::impl::begin_again(const tenure_ptr& of) {
    if (is_present(of)) {
        now->over_ = true;
        take_anew = true;
        changed.notify();
    }
}

transactor::transactor(asio::any_io_executor executor, transactor_options options)
    : impl_(std::make_shared<impl>(std::move(executor), std::move(options))) {}

transactor::~transactor() = default;

asio::awaitable<void> transactor::run(tenant& who, asio::awaitable<void> stop) {
    return impl_->run(who, std::move(stop));
}

asio::awaitable<std::optional<transaction>> transactor::begin(tenure_ptr of) {
    auto turn = co_await impl_->turn_for(of);
    if (!turn) {
        co_return std::nullopt;
    }
    auto open = std::make_unique<transaction::open>();
    open->in = impl_;
    open->of = std::const_pointer_cast<tenure>(std::move(of));
    open->turn = std::move(turn);
    co_return transaction{std::move(open)};
}

void transactor::again(const tenure_ptr& of) {
    impl_->begin_again(of);
}

void transactor::seek(const tenure_ptr& of, const topic_partition& at, offset next) {
    if (impl_->is_present(of)) {
        impl_->consumer.seek(at, next);
    }
}

void transactor::pause(const tenure_ptr& of, const topic_partition& at) {
    if (impl_->is_present(of)) {
        impl_->consumer.pause(std::span{&at, 1});
    }
}

void transactor::resume(const tenure_ptr& of, const topic_partition& at) {
    if (impl_->is_present(of)) {
        impl_->consumer.resume(std::span{&at, 1});
    }
}

std::optional<offset> transactor::end_read(const topic_partition& at) const {
    return impl_->consumer.end_read(at);
}

asio::awaitable<base::result<std::pair<offset, offset>>> transactor::watermarks(topic_partition at) {
    return impl_->consumer.watermarks(std::move(at));
}

transaction::transaction(std::unique_ptr<open> o)
    : open_(std::move(o)) {}

transaction::transaction(transaction&&) noexcept = default;
transaction& transaction::operator=(transaction&&) noexcept = default;
transaction::~transaction() = default; // its turn ends; whoever has the next aborts what was left open

transaction::open& transaction::must_be_open(const char* call) const {
    if (!open_) {
        throw std::logic_error{fmt::format("{} in a transaction that has ended", call)};
    }
    return *open_;
}

asio::awaitable<void> transaction::produce(topic_partition to, std::string_view key, std::string_view value) {
    return must_be_open("produce").in->producer.produce(std::move(to), key, value);
}

asio::awaitable<void> transaction::produce_tombstone(topic_partition to, std::string_view key) {
    return must_be_open("produce").in->producer.produce_tombstone(std::move(to), key);
}

asio::awaitable<settled> transaction::commit(std::vector<kafka::commit> offsets) {
    std::ignore = must_be_open("commit");
    const auto ending = std::move(open_); // its turn ends with this frame
    co_return co_await ending->in->commit(ending->of, std::move(offsets));
}

asio::awaitable<void> transaction::abort() {
    std::ignore = must_be_open("abort");
    const auto ending = std::move(open_);
    co_await ending->in->producer.abort();
}

} // namespace semel::kafka
