// One transaction, from its turn to what became of it.

#include "transactor_impl.hpp"

#include <kafka/handles.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace semel::kafka {

namespace {

constexpr std::chrono::milliseconds between_looks_back{200};
constexpr std::chrono::milliseconds longest_pause_of_an_end{200};

} // namespace

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
    const auto wanted = offsets;
    auto result = co_await producer.commit(std::move(offsets), of ? of->as_ : nullptr);
    auto became = result.outcome == outcome::committed ? fate::committed : fate::not_committed;
    if (result.outcome == outcome::unknown) {
        telemetry::log().warn("transaction.unknown", {{"group", options.group}, {"why", result.why}});
        undecided = true;
        co_await producer.rebuild(); // whatever the old one had in flight is decided once its successor has started
        if (of && !options.positions_elsewhere && !wanted.empty()) {
            became = co_await read_back(of, wanted);
        }
        undecided = false;
    }
    if (became == fate::overtaken) {
        begin_again(of);
        of->over_ = true;
        co_return settled::over;
    }
    if (became != fate::committed) {
        co_return co_await failed(std::move(of), std::move(result));
    }
    for (const auto& c : wanted) {
        of->committed_[c.at] = {c.next, c.metadata};
    }
    patience.committed();
    co_return settled::committed;
}

/// Answers only when no transaction of a former owner is undecided. Waits for a Kafka that is away.
asio::awaitable<std::vector<kafka::commit>> transactor::impl::stands(std::vector<topic_partition> at) {
    for (;;) {
        auto asked = at;
        auto found = co_await consumer.committed(std::move(asked));
        if (found) {
            co_return std::move(*found);
        }
        if (!found.error().retryable()) {
            throw std::runtime_error{found.error().why()};
        }
        telemetry::log().warn("offsets.not_read", {{"group", options.group}, {"why", found.error().why()}});
        if (!co_await runtime::sleep(between_looks_back)) {
            throw boost::system::system_error{asio::error::operation_aborted};
        }
    }
}

asio::awaitable<fate> transactor::impl::read_back(tenure_ptr of, std::vector<kafka::commit> wanted) {
    std::vector<topic_partition> asked;
    for (const auto& c : wanted) {
        asked.push_back(c.at);
    }
    const auto now_stands = co_await stands(std::move(asked));
    co_return fate_of(of->committed_, wanted, now_stands);
}

asio::awaitable<settled> transactor::impl::failed(mutable_tenure of, commit_result result) {
    telemetry::log().warn("transaction.not_committed",
                          {{"group", options.group}, {"why", result.why}, {"lapsed", result.lapsed}});
    if (of && result.lapsed) {
        if (is_present(of)) {
            lapsed_at = steady::now();
            changed.notify();
        }
        of->over_ = true;
        co_return settled::over;
    }
    co_await pause_before_next(of);
    co_return of && of->over_ ? settled::over : settled::undone;
}

/// Shorter for a tenure that ends: others wait for its partitions.
asio::awaitable<void> transactor::impl::pause_before_next(tenure_ptr of) {
    const auto whole = patience.failed();
    const auto until = steady::now() + whole;
    const auto until_ending = steady::now() + std::min(whole, longest_pause_of_an_end);
    for (;;) {
        const auto left = left_until(of && of->ending() ? until_ending : until);
        if (left <= std::chrono::milliseconds::zero()) {
            co_return;
        }
        try {
            co_await changed.wait_for(left);
        } catch (const boost::system::system_error&) {
            co_return; // cancelled: what became of the transaction is known, and is told
        }
    }
}

void transactor::impl::begin_again(const tenure_ptr& of) {
    if (is_present(of)) {
        now->over_ = true;
        take_anew = true;
        changed.notify();
    }
}

asio::awaitable<std::optional<transaction>> transactor::begin(tenure_ptr of) {
    auto turn = co_await impl_->turn_for(of);
    if (!turn) {
        co_return std::nullopt;
    }
    auto open = std::make_unique<transaction::open>();
    open->in = impl_.get();
    open->of = std::const_pointer_cast<tenure>(std::move(of));
    open->turn = std::move(turn);
    co_return transaction{std::move(open)};
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
