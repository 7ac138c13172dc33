// One transaction, from its turn to what became of it.

#include "transactor_impl.hpp"

#include <base/must.hpp>
#include <kafka/handles.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <tuple>

namespace semel::kafka {

using base::must;

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
