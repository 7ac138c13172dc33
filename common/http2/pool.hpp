#pragma once
// A fixed number of connections to one peer, kept alive: each request takes the connection with the most free streams.
// One strand.

#include <http2/connection.hpp>

#include <list>
#include <vector>

namespace semel::http2 {

struct pool_settings {
    unsigned connections = 2;
    unsigned streams = 100; // at most, on each; the peer may allow fewer
    timing when{};
    std::chrono::milliseconds first_pause{100}; // between attempts to connect; doubles up to longest_pause
    std::chrono::milliseconds longest_pause{10'000};
};

class pool {
  public:
    pool(boost::asio::any_io_executor, target, std::shared_ptr<boost::asio::ssl::context>, pool_settings);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// Keeps the connections, until cancelled or closed; a connection that goes away is replaced while its open streams
    /// end. Must have ended before the pool is destroyed (which ends every connection).
    boost::asio::awaitable<void> run();

    /// Waits for a free stream, in the order of the callers. The request is unchanged when there was none.
    /// unreachable: no connection is up (and why); throttled: all streams stayed busy for as long as `patience`.
    boost::asio::awaitable<base::result<std::unique_ptr<exchange>>> submit(request&, bool hold,
                                                                           std::chrono::milliseconds patience);
    /// Says GOAWAY on every connection and waits until their streams have ended, at most `deadline`.
    boost::asio::awaitable<void> close(std::chrono::milliseconds deadline);

    /// How many connections are up.
    std::size_t connected() const noexcept;
    std::size_t open_streams() const noexcept;
    std::size_t window() const noexcept { return std::size_t{settings_.connections} * settings_.streams; }

    /// Called when a connection could not be opened or was lost, with the reason.
    void on_trouble(std::function<void(const base::fault&)>);

  private:
    class waiter;
    boost::asio::awaitable<void> keep(std::size_t slot);
    connection* best() noexcept;
    void changed();

    boost::asio::any_io_executor executor_;
    target peer_;
    std::shared_ptr<boost::asio::ssl::context> tls_;
    pool_settings settings_;
    std::vector<std::shared_ptr<connection>> slots_;     // one for each keep(); null while it connects
    std::vector<std::shared_ptr<connection>> departing_; // said or heard GOAWAY; their streams still run
    std::list<waiter*> waiters_;                         // for a stream: first come, first served
    std::list<waiter*> watchers_;                        // of keep() and close(): for any change
    base::fault last_trouble_;
    std::function<void(const base::fault&)> trouble_;
    bool closing_ = false;
};

} // namespace semel::http2
