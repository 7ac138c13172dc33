#pragma once
// One thread, one seed, simulated time: everything that happens is an event in one queue, in an order that the seed
// decides. A process is an Asio executor; it may die before any of its events, and then nothing of it runs any more.

#include <base/instant.hpp>
#include <base/time.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace semel::simulation {

namespace asio = boost::asio;
using base::duration;
using base::instant;
using namespace std::chrono_literals;

using process = std::uint32_t;
inline constexpr process nobody = 0; ///< servers and wires: never dies

class world {
  public:
    explicit world(std::uint64_t seed);
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    instant now() const noexcept { return now_; }

    // Chance, all of it from the seed.
    bool chance(double p);
    duration between(duration least, duration most);
    std::size_t below(std::size_t n);

    /// As on a real executor, what a process dispatches to itself runs inside the event that did so.
    void run_inline() noexcept { inline_ = true; }
    bool runs_inline(process p) const noexcept { return inline_ && running_ == p; }

    process begin_process();
    asio::any_io_executor executor_of(process);
    bool alive(process) const;
    /// From now on nothing of it runs.
    void kill(process);
    /// As SIGSTOP and, then, SIGCONT.
    void put_to_sleep(process, instant until);
    bool asleep(process p) const { return awake_from(p) > now_; }
    /// When it woke up, or will; the beginning of time if it never slept.
    instant awake_from(process) const;

    using work = std::move_only_function<void(boost::system::error_code)>;
    /// Names an event for as long as it waits.
    struct ticket {
        std::uint32_t slot = 0;
        std::uint64_t stamp = 0; // 0: of none
    };
    /// Runs it then, as a part of that process.
    ticket at(process, instant, work);
    void post(process p, std::move_only_function<void()>);
    /// Lets it run at once, with this error. Nothing happens when it has run, or was called off.
    void hasten(ticket, boost::system::error_code = {});
    void call_off(ticket);

    /// The next event. False: there is none.
    bool step();
    /// A number for all that has happened so far, in its order.
    std::uint64_t fingerprint() const noexcept { return fingerprint_; }
    /// Something happened that is worth telling two runs apart by.
    void witness(std::uint64_t what) noexcept { fingerprint_ = (fingerprint_ ^ what) * 0x100000001b3; }
    /// When the next event comes.
    instant next_at();
    /// Looked at before each event of a process: true kills it there.
    std::function<bool(process)> fate;
    /// Of a process that died so.
    std::function<void(process)> mourned;
    /// What an event threw.
    std::function<void(process, std::exception_ptr)> failed;

  private:
    struct entry {
        process of = nobody;
        work run;
        boost::system::error_code with;
        std::uint64_t stamp = 0; // 0: the slot is free
    };
    /// In the queue: which event comes when. One whose stamp is not its slot's any more is passed over.
    struct turn {
        instant at;
        std::uint64_t place = 0; // of two at one moment the one that was put there first
        ticket whose;
        bool operator<(const turn& o) const noexcept { return at != o.at ? at > o.at : place > o.place; }
    };
    struct being {
        std::shared_ptr<asio::execution_context> context;
        bool alive = true;
        instant awake_from{};
    };
    ticket insert(instant, entry);
    std::optional<entry> take(ticket);
    bool waits(const ticket& t) const noexcept { return t.stamp != 0 && slots_[t.slot].stamp == t.stamp; }

    std::mt19937_64 random_;
    instant now_{std::chrono::hours{1}};
    bool inline_ = false;
    process running_ = nobody;
    std::uint64_t places_ = 0;
    std::uint64_t stamps_ = 0;
    std::uint64_t fingerprint_ = 0;
    std::vector<turn> queue_; // a heap
    std::vector<entry> slots_;
    std::vector<std::uint32_t> free_;
    std::vector<being> beings_;
};

/// Whose executor it is.
struct inhabitant {
    world& in;
    process of;
};
inhabitant who_runs_on(const asio::any_io_executor&);

/// Waits so long, as a part of the process. Throws when cancelled. The ticket, for who wants to end it early, is told
/// before the wait begins.
asio::awaitable<void> wait(world&, process, instant until, std::function<void(world::ticket)> tell = {});
asio::awaitable<void> delay(world&, process, duration);

} // namespace semel::simulation
