#include "publisher.hpp"

#include <failpoint/failpoint.hpp>
#include <kafka/admin.hpp>
#include <kafka/membership.hpp>
#include <postgres/patiently.hpp>
#include <runtime/race.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>

#include <algorithm>
#include <charconv>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t rows_at_once = 200; // their numbers fit into the metadata of an offset, 4,096 characters
constexpr auto lease = 5s;                // after its holder's last word
constexpr auto look_around = 200ms;
constexpr auto after_trouble = 1s;

} // namespace

std::string encode_numbers(const std::vector<std::int64_t>& numbers) {
    std::string text;
    std::int64_t before = 0;
    for (const auto number : numbers) {
        text += (text.empty() ? "" : ",") + std::to_string(number - before);
        before = number;
    }
    return text;
}

std::vector<std::int64_t> decode_numbers(std::string_view text) {
    std::vector<std::int64_t> numbers;
    std::int64_t last = 0;
    for (const auto* at = text.data(); at != text.data() + text.size();) {
        std::int64_t step = 0;
        const auto [end, error] = std::from_chars(at, text.data() + text.size(), step);
        if (error != std::errc{}) {
            break;
        }
        numbers.push_back(last += step);
        at = end == text.data() + text.size() ? end : end + 1;
    }
    return numbers;
}

publisher::publisher(services& s, publisher_place place)
    : services_(s)
    , place_(std::move(place))
    , cluster_(kafka::configured(s.config))
    , producer_(s.executor, {.bootstrap = cluster_, .transactional_id = place_.name}) {}

publisher::~publisher() {
    lookups_.join();
}

asio::awaitable<bool> publisher::hold_lease() {
    if (sole_ && std::chrono::steady_clock::now() < next_word_) {
        co_return true;
    }
    next_word_ = std::chrono::steady_clock::now() + lease / 5;
    co_return co_await postgres::patiently(services_.db, [who = services_.instance](pqxx::connection& c) {
        pqxx::work tx{c};
        const bool held = store::hold_publisher_lease(tx, who, lease);
        tx.commit();
        return held;
    });
}

asio::awaitable<base::result<publisher::word>> publisher::last_published() {
    co_return co_await runtime::on_thread(lookups_, [kafka = cluster_, place = place_]() -> base::result<word> {
        const auto found = kafka::admin{kafka}.group_lag(place.name, place.topic);
        if (!found) {
            return base::failed(found.error());
        }
        const auto& last = found->at(0);
        return word{.transactions = std::max<kafka::offset>(last.committed, 0),
                    .numbers = decode_numbers(last.metadata)};
    });
}

asio::awaitable<void> publisher::forget(std::vector<std::int64_t> numbers) {
    co_await postgres::patiently(services_.db, [numbers = std::move(numbers)](pqxx::connection& c) {
        pqxx::work tx{c};
        store::delete_outbox(tx, numbers);
        tx.commit();
    });
}

asio::awaitable<base::result<void>> publisher::take_over() {
    co_await producer_.rebuild();
    auto published = co_await last_published();
    if (!published) {
        co_return base::failed(published.error());
    }
    transactions_ = published->transactions;
    co_await forget(std::move(published->numbers));
    // Whoever took the lease while we did this has fenced us, or will before it publishes: let it.
    sole_ = co_await hold_lease();
    co_return base::result<void>{};
}

asio::awaitable<void> publisher::publish(std::vector<store::outbox_row> rows) {
    std::vector<std::int64_t> numbers;
    producer_.begin();
    for (const auto& row : rows) {
        co_await producer_.produce({.topic = row.topic, .partition = row.partition}, row.key, row.value);
        numbers.push_back(row.number);
    }
    std::vector<kafka::commit> left_behind{
        {.at = {place_.topic, 0}, .next = transactions_ + 1, .metadata = encode_numbers(numbers)}};
    const auto result = co_await producer_.commit(std::move(left_behind), kafka::outside_any_group(place_.name));
    if (result.outcome == kafka::outcome::committed) {
        ++transactions_;
        SEMEL_FAILPOINT("api.outbox.sent");
        co_await forget(std::move(numbers));
        SEMEL_FAILPOINT("api.outbox.deleted");
        co_return;
    }
    telemetry::log().warn("outbox.waiting", {{"why", result.why}});
    sole_ = result.outcome == kafka::outcome::aborted;
    co_await services_.outbox.wait_for(look_around);
}

asio::awaitable<void> publisher::run() {
    for (;;) {
        if (!co_await hold_lease()) {
            sole_ = false;
            co_await services_.outbox.wait_for(look_around);
            continue;
        }
        if (!sole_) {
            if (const auto done = co_await take_over(); !done) {
                telemetry::log().warn("outbox.waiting", {{"why", done.error().why()}});
                co_await services_.outbox.wait_for(after_trouble);
            }
            continue;
        }
        auto rows = co_await postgres::patiently(services_.db, [](pqxx::connection& c) {
            pqxx::work tx{c};
            return store::read_outbox(tx, rows_at_once);
        });
        if (rows.empty()) {
            co_await services_.outbox.wait_for(look_around);
        } else {
            co_await publish(std::move(rows));
        }
    }
}

} // namespace semel::api
