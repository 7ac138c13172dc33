#include <kafka/producer.hpp>
#include <kafka/transaction.hpp>
#include <kafka/worker.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <thread>

namespace semel::kafka {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// A call that is still running this long after the transaction's timeout will not come back (#4420).
constexpr auto watchdog_margin = 60s;
constexpr auto init_step = 2s; // how long a cancellation of init() may go unheard
constexpr auto full_queue_pause = 1ms;
constexpr auto between_words = 60s; // about a Kafka that is away

/// Client and thread go together: a stuck call keeps both, and a rebuild leaves them behind.
struct session {
    session(const asio::any_io_executor& executor, const producer_options& options)
        : client(options)
        , calls(executor) {}
    transaction_client client;
    worker calls; // last: joined before the client goes
};

} // namespace

struct transactional_producer::impl {
    impl(asio::any_io_executor ex, producer_options o)
        : executor(std::move(ex))
        , options(std::move(o)) {}
    ~impl() { dismiss(); }

    /// librdkafka takes its time to end its threads: not on the io thread. Our own thread must have ended before the
    /// executor does, unless a call is stuck in it, which then keeps the session for itself.
    void dismiss() {
        if (now) {
            if (!std::exchange(stuck, false)) {
                now->calls.finish();
            }
            std::thread{[old = std::move(now)]() mutable { old.reset(); }}.detach();
        }
    }

    void must_be_open(const char* call) const {
        if (!open) {
            throw std::logic_error{
                fmt::format("producer {}: {} outside a transaction", options.transactional_id, call)};
        }
    }

    asio::awaitable<void> start() {
        asio::steady_timer pause{executor};
        auto next_word = std::chrono::steady_clock::now() + init_step;
        for (;;) {
            if (!now) {
                now = std::make_unique<session>(executor, options);
            }
            auto& s = *now;
            auto call = [&s] { return s.client.init(init_step); };
            const auto begun = co_await s.calls.run(std::move(call));
            if (begun.verdict == verdict::done) {
                co_return;
            }
            if (const auto at = std::chrono::steady_clock::now(); at >= next_word) {
                next_word = at + between_words;
                telemetry::log().warn("kafka.away", {{"why", begun.why}, {"then", "it waits, nothing is lost"}});
            }
            if (begun.verdict != verdict::retry) {
                // Fenced in the middle of a takeover, or refused: a new client asks again from the start.
                if (++refusals == 10) {
                    throw std::runtime_error{begun.why + ". Tried ten times; check the broker and whether another "
                                                         "process uses this transactional id"};
                }
                dismiss();
            }
            pause.expires_after(200ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
    }

    asio::awaitable<void> rebuild() {
        open = false;
        broken = false;
        refusals = 0;
        dismiss();
        co_await start();
    }

    asio::awaitable<void> produce(topic_partition to, std::string_view key, const char* value, std::size_t size) {
        asio::steady_timer pause{executor};
        while (!now->client.produce(to, key, value, size)) {
            pause.expires_after(full_queue_pause);
            co_await pause.async_wait(asio::use_awaitable);
        }
    }

    asio::awaitable<commit_result> commit(std::vector<kafka::commit> offsets, std::shared_ptr<const membership> as) {
        must_be_open("commit");
        open = false;
        auto& s = *now;
        auto call = [&s, offsets = std::move(offsets), as = std::move(as)] {
            return s.client.commit(offsets, as.get());
        };
        auto answer = co_await s.calls.run_within(2 * options.transaction_timeout + watchdog_margin, std::move(call));
        if (!answer) {
            stuck = true;
            answer = commit_result{outcome::unknown,
                                   fmt::format("producer {}: the commit did not come back", options.transactional_id)};
        }
        broken = answer->outcome == outcome::unknown;
        co_return std::move(*answer);
    }

    asio::awaitable<void> abort() {
        must_be_open("abort");
        open = false;
        auto& s = *now;
        auto call = [&s] { return s.client.abort().verdict; };
        const auto answer =
            co_await s.calls.run_within(2 * options.transaction_timeout + watchdog_margin, std::move(call));
        stuck = !answer;
        if (answer != verdict::done) {
            co_await rebuild(); // a new epoch ends what the old one left open
        }
    }

    asio::any_io_executor executor;
    producer_options options;
    std::unique_ptr<session> now;
    bool open = false;
    bool broken = false; // after `unknown`, until rebuild()
    bool stuck = false;  // a call has not come back
    unsigned refusals = 0;
};

transactional_producer::transactional_producer(asio::any_io_executor executor, producer_options options)
    : impl_(std::make_unique<impl>(std::move(executor), std::move(options))) {}

transactional_producer::~transactional_producer() = default;

asio::awaitable<void> transactional_producer::init() {
    return impl_->rebuild();
}

void transactional_producer::begin() {
    if (impl_->open || impl_->broken || !impl_->now) {
        throw std::logic_error{fmt::format("producer {}: begin() {}", impl_->options.transactional_id,
                                           impl_->open     ? "inside a transaction"
                                           : impl_->broken ? "after an unknown outcome: rebuild() comes first"
                                                           : "before init()")};
    }
    impl_->open = true;
    std::ignore = impl_->now->client.begin(); // a failure is remembered and told by commit()
}

bool transactional_producer::in_transaction() const noexcept {
    return impl_->open;
}

bool transactional_producer::try_produce(const topic_partition& to, std::string_view key, std::string_view value) {
    impl_->must_be_open("produce");
    return impl_->now->client.produce(to, key, value.empty() ? "" : value.data(), value.size());
}

asio::awaitable<void> transactional_producer::produce(topic_partition to, std::string_view key,
                                                      std::string_view value) {
    impl_->must_be_open("produce");
    // An empty value is not a tombstone.
    return impl_->produce(std::move(to), key, value.empty() ? "" : value.data(), value.size());
}

asio::awaitable<void> transactional_producer::produce_tombstone(topic_partition to, std::string_view key) {
    impl_->must_be_open("produce");
    return impl_->produce(std::move(to), key, nullptr, 0);
}

asio::awaitable<commit_result> transactional_producer::commit(std::vector<kafka::commit> offsets,
                                                              std::shared_ptr<const membership> as) {
    return impl_->commit(std::move(offsets), std::move(as));
}

asio::awaitable<void> transactional_producer::abort() {
    return impl_->abort();
}

asio::awaitable<void> transactional_producer::rebuild() {
    return impl_->rebuild();
}

} // namespace semel::kafka
