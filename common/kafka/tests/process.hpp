#pragma once
// A process with a transactor, beside the test, and what it does with its records.

#include "support.hpp"

#include <kafka/transactor.hpp>
#include <runtime/condition.hpp>

#include <functional>
#include <map>
#include <memory>

namespace semel::kafka::test {

/// A tenant that does as the test says, and notes what happened.
struct script final : tenant {
    asio::awaitable<std::vector<start>> take(tenure_ptr t) override {
        now = t;
        ++taken;
        co_return t->starts();
    }
    asio::awaitable<void> read(tenure_ptr t, records got) override {
        if (on_read) {
            co_await on_read(std::move(t), std::move(got));
        }
    }
    asio::awaitable<void> leave(tenure_ptr t) override {
        ++left;
        if (on_leave) {
            co_await on_leave(std::move(t));
        }
        now.reset();
    }

    std::function<asio::awaitable<void>(tenure_ptr, records)> on_read;
    std::function<asio::awaitable<void>(tenure_ptr)> on_leave;
    tenure_ptr now;
    int taken = 0, left = 0;
};

/// A process of a service, beside the test.
struct process {
    process(asio::any_io_executor ex, const ground& on, const std::string& instance,
            const std::function<void(transactor_options&)>& tweak = {})
        : by(ex, options_of(on, instance, tweak))
        , output(on.output)
        , stop(ex) {
        who.on_read = [this](tenure_ptr t, records got) { return copy_all(std::move(t), std::move(got)); };
        asio::co_spawn(ex, by.run(who, stop.wait()), [this](std::exception_ptr thrown) {
            over = true;
            try {
                if (thrown) {
                    std::rethrow_exception(thrown);
                }
            } catch (const std::exception& e) {
                failure = e.what();
            }
        });
    }
    static transactor_options options_of(const ground& on, const std::string& instance,
                                         const std::function<void(transactor_options&)>& tweak) {
        transactor_options o;
        o.bootstrap = on.bootstrap;
        o.group = on.group;
        o.instance = instance;
        o.transactional_id = on.group + "." + instance;
        o.topics = {on.topic};
        o.session_timeout = 6s;
        if (tweak) {
            tweak(o);
        }
        return o;
    }

    /// One transaction: what came, to the same partition of the output.
    asio::awaitable<settled> copy(tenure_ptr t, const records& got) {
        auto tx = co_await by.begin(t);
        if (!tx) {
            co_return settled::over;
        }
        std::map<topic_partition, offset> next;
        for (const auto& one : got.batch) {
            co_await tx->produce({output, one.at().partition}, one.key(), one.value());
            next[one.at()] = one.offset() + 1;
        }
        std::vector<commit> offsets;
        for (const auto& [at, to] : next) {
            offsets.push_back({.at = at, .next = to, .metadata = "copied"});
        }
        co_return co_await tx->commit(std::move(offsets));
    }
    asio::awaitable<void> copy_all(tenure_ptr t, records got) {
        while (co_await copy(t, got) == settled::undone) {
        }
    }
    asio::awaitable<void> ended() {
        const auto is_over = [this] { return over; };
        co_await until(is_over, "the process to end");
    }
    asio::awaitable<void> end() {
        stop.notify();
        co_await ended();
        EXPECT_EQ(failure, "");
    }

    transactor by;
    std::string output;
    script who;
    runtime::condition stop;
    bool over = false;
    std::string failure;
};

inline asio::awaitable<void> wait_for_tenure(const process& p, std::size_t partitions) {
    const auto has = [&] { return p.who.now && p.who.now->partitions().size() == partitions; };
    co_await until(has, "the assignment");
}

inline asio::awaitable<void> wait_for_position(const process& p, topic_partition at, offset next) {
    const auto stands = [&] { return p.who.now && p.who.now->owns(at) && p.who.now->committed().at(at).next >= next; };
    co_await until(stands, "the position");
}

/// Another producer with the same transactional id, as a former life would have it: whatever `p` has open is ended.
inline asio::awaitable<std::unique_ptr<transactional_producer>> twin_of(asio::any_io_executor ex, const ground& on,
                                                                        const std::string& instance) {
    auto twin = std::make_unique<transactional_producer>(ex, on.transactional(instance));
    co_await twin->init();
    co_return twin;
}

} // namespace semel::kafka::test
