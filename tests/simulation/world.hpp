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
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
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

    process begin_process();
    asio::any_io_executor executor_of(process);
    bool alive(process) const;
    /// From now on nothing of it runs.
    void kill(process);
    /// As SIGSTOP and, then, SIGCONT.
    void put_to_sleep(process, instant until);
    bool asleep(process) const;

    using work = std::move_only_function<void(boost::system::error_code)>;
    using ticket = std::uint64_t;
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
    instant next_at() const noexcept { return queue_.empty() ? instant::max() : queue_.begin()->first.first; }
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
        ticket number = 0;
    };
    using place = std::pair<instant, std::uint64_t>;
    struct being {
        std::shared_ptr<asio::execution_context> context;
        bool alive = true;
        instant asleep_until{};
    };
    void insert(instant, entry);
    std::optional<entry> take(ticket);

    std::mt19937_64 random_;
    instant now_{std::chrono::hours{1}};
    std::uint64_t places_ = 0;
    ticket tickets_ = 0;
    std::uint64_t fingerprint_ = 0;
    std::map<place, entry> queue_;
    std::unordered_map<ticket, place> waiting_;
    std::vector<being> beings_;
};

/// Waits so long, as a part of the process. Throws when cancelled. The ticket, for who wants to end it early, is told
/// before the wait begins.
asio::awaitable<void> wait(world&, process, instant until, std::function<void(world::ticket)> tell = {});
asio::awaitable<void> delay(world&, process, duration);

} // namespace semel::simulation
