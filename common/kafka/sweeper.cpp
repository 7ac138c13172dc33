#include "sweeper.hpp"

#include <runtime/together.hpp>

#include <algorithm>
#include <chrono>

namespace semel::kafka {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds at_most{1};  // of one partition in one call
constexpr std::size_t prefetch_kib = 1'024; // nothing waits for this reading

} // namespace

sweeper::sweeper(asio::any_io_executor executor, cluster at, needed n)
    : needed_(std::move(n))
    , reader_(std::move(executor), {.bootstrap = at, .prefetch_kib = prefetch_kib})
    , admin_(std::move(at)) {}

asio::awaitable<base::result<offset>> sweeper::first_needed(start below) {
    if (auto begun = co_await reader_.from_beginning(below.at); !begun) {
        co_return base::failed(begun.error());
    }
    offset reached = 0;
    for (const auto until = steady::now() + at_most; steady::now() < until && !reader_.at_end();) {
        for (const auto& one : co_await reader_.next()) {
            if (one.offset() >= below.next || needed_(one)) {
                co_return std::min(one.offset(), below.next);
            }
            reached = one.offset() + 1;
        }
    }
    co_return reached;
}

asio::awaitable<base::result<void>> sweeper::sweep(std::vector<start> below) {
    for (const auto& one : below) {
        auto& deleted = deleted_[one.at];
        const auto reached = co_await first_needed(one);
        reader_.assign({});
        if (!reached) {
            co_return base::failed(reached.error());
        }
        if (*reached > deleted) {
            const std::vector<start> there{{one.at, *reached}};
            const auto done =
                co_await runtime::on_thread(thread_, [this, there] { return admin_.delete_records(there); });
            if (!done) {
                co_return base::failed(done.error());
            }
            deleted = *reached;
        }
    }
    co_return base::result<void>{};
}

} // namespace semel::kafka
