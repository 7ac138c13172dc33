#pragma once
// A gateway that does what the address says, and writes every message that it accepts to a file that outlives the
// process: the truth that tests compare events with.
//
// The address is BEHAVIOUR or BEHAVIOUR/ANYTHING:
//   ok        accepted
//   slow      accepted, after the gateway's `slow`
//   late      accepted, answered after `late`
//   never     accepted, never answered
//   lost      accepted, the connection is lost before the answer
//   perm      refused for ever
//   temp      refused at the first attempt
//   throttle  refused at the first attempt because of load
//   stop      refused at the first attempt for a configuration error
//   parts     one of its parts is refused as too fast once
//   poison    refused at every attempt, in a way that may mean the recipient or us

#include <delivery/gateway.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace semel::delivery::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct script {
    std::string name = "gateway-a";
    std::size_t window = 64;
    milliseconds delay{0};
    milliseconds slow{700};
    milliseconds late{5'000};
    bool failing = false;            // every answer is transient
    std::string poisoned_while = {}; // a file: while it is there, everybody is refused as "poison" is
    bool any_slot = false;           // stage() never waits
    std::string only = {};           // the behaviour that it serves; empty: all
    std::string log = {};            // empty: none
};

inline verdict says(verdict::kind what, std::string code, std::string text) {
    return {.what = what, .code = std::move(code), .text = std::move(text), .message_id = {}, .retry_after = {}};
}

class scripted_gateway final : public gateway {
  public:
    scripted_gateway(asio::any_io_executor ex, script s)
        : state_(std::make_shared<state>(std::move(ex), std::move(s))) {}

    const std::string& name() const noexcept override { return state_->script.name; }
    bool serves(const outbound& out) const noexcept override {
        const auto& only = state_->script.only;
        return only.empty() || out.address.substr(0, out.address.find('/')) == only;
    }
    std::size_t window() const noexcept override { return state_->script.window; }

    asio::awaitable<beginning> stage(const outbound& message, milliseconds patience) override {
        const auto s = state_;
        const auto until = std::chrono::steady_clock::now() + patience;
        while (s->used >= s->script.window && !s->script.any_slot) {
            const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
            if (left <= 0ms || !co_await s->freed.wait_for(left)) {
                co_return busy{};
            }
        }
        co_return std::make_unique<held>(s, message);
    }
    asio::awaitable<void> run() override {
        while (co_await runtime::sleep(1h)) {
        }
    }
    asio::awaitable<void> close() override { co_return; }

    std::size_t accepted() const noexcept { return state_->accepted; }

  private:
    struct state {
        state(asio::any_io_executor ex, testing::script s)
            : script(std::move(s))
            , executor(ex)
            , freed(ex) {
            if (!script.log.empty()) {
                log = ::open(script.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
                if (log < 0) {
                    throw std::runtime_error{"cannot write " + script.log};
                }
            }
        }
        ~state() {
            if (log >= 0) {
                ::close(log);
            }
        }
        void accept(const outbound& m) {
            ++accepted;
            if (log >= 0) {
                const auto at = std::chrono::duration_cast<std::chrono::microseconds>(
                                    std::chrono::steady_clock::now().time_since_epoch())
                                    .count();
                const auto line =
                    fmt::format("{} {} {} {}\n", base::to_hex(m.notification), m.attempt, script.name, at);
                std::ignore = ::write(log, line.data(), line.size());
            }
        }
        testing::script script;
        asio::any_io_executor executor;
        runtime::condition freed;
        std::size_t used = 0;
        std::size_t accepted = 0;
        int log = -1;
    };

    class held final : public staged {
      public:
        held(std::shared_ptr<state> s, const outbound& m)
            : state_(std::move(s))
            , message_(m) {
            ++state_->used;
        }
        held(const held&) = delete;
        held& operator=(const held&) = delete;
        ~held() override {
            --state_->used;
            state_->freed.notify();
        }

        asio::awaitable<verdict> release() override {
            const auto& s = state_->script;
            const auto does = message_.address.substr(0, message_.address.find('/'));
            const bool first = message_.attempt == 1;
            auto v = says(verdict::kind::accepted, "0x00000000", "ok");
            v.message_id = base::to_hex(message_.notification).substr(0, 12);
            if (!s.poisoned_while.empty() && ::access(s.poisoned_while.c_str(), F_OK) == 0) {
                v = says(verdict::kind::ambiguous, "0x00000401", "a status of the vendor's own");
            } else if (s.failing || (does == "temp" && first)) {
                v = says(verdict::kind::transient, "0x00000045", "submit_sm failed");
            } else if (does == "parts" && ++releases_ == 1) {
                v = says(verdict::kind::unknown, "0x00000058", "1 of 2 parts accepted, then: throttled");
                v.parts = {.accepted = 1, .refused = 1};
                v.rest_after = 20ms;
            } else if (does == "throttle" && first) {
                v = says(verdict::kind::throttled, "0x00000058", "throttled");
                v.retry_after = 200ms;
            } else if (does == "stop" && first) {
                v = says(verdict::kind::lane_stop, "0x0000000f", "invalid system id");
            } else if (does == "poison") {
                v = says(verdict::kind::ambiguous, "0x00000401", "a status of the vendor's own");
            } else if (does == "foreign") {
                state_->accept(message_);
                v.message_id = "id\xff\x01";
                v.text = "\xc3";
            } else if (does == "perm") {
                v = says(verdict::kind::permanent, "0x0000000b", "invalid destination");
            } else {
                state_->accept(message_);
            }
            auto wait = s.delay;
            if (does == "slow") {
                wait += s.slow;
            } else if (does == "late") {
                wait += s.late;
            } else if (does == "never") {
                wait = 1h;
            } else if (does == "lost") {
                wait += 20ms;
                v = says(verdict::kind::unknown, "semel:lost", "the connection was lost");
            }
            if (wait > 0ms) {
                co_await runtime::sleep(wait);
            } else {
                co_await asio::post(state_->executor, asio::use_awaitable); // an answer never comes within the call
            }
            co_return v;
        }

      private:
        std::shared_ptr<state> state_;
        const outbound& message_; // outlives the staged message
        int releases_ = 0;
    };

    std::shared_ptr<state> state_;
};

} // namespace semel::delivery::testing
