#pragma once
// One connection to Redis, plain or under TLS. hiredis formats commands and parses replies; the bytes travel over
// socket::stream. Internal to this module; client.hpp is the face.
//
// Two coroutines serve it while it is open: one writes everything that has gathered since its last write, one reads.
// Both hold the connection alive. Replies are collected from a whole chunk and handed over together: a resumed
// coroutine may send, close or destroy what it likes.

#include "client.hpp"

#include <runtime/condition.hpp>
#include <socket/stream.hpp>

#include <boost/asio/steady_timer.hpp>

#include <deque>

struct redisReader;

namespace semel::redis {

class connection : public std::enable_shared_from_this<connection> {
  public:
    connection(boost::asio::any_io_executor, std::chrono::milliseconds reply_timeout);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Once. A context means TLS, and that the certificate must be `server_name`'s.
    boost::asio::awaitable<base::result<void>> open(std::string ip, std::uint16_t port,
                                                    std::shared_ptr<boost::asio::ssl::context> = nullptr,
                                                    std::string server_name = {});
    bool is_open() const noexcept { return state_ == state::open; }
    /// Sends at the end of this turn of the loop, together with whatever else is sent until then; `args` is not needed
    /// after the first step of the awaitable.
    boost::asio::awaitable<base::result<reply>> exchange(std::span<const std::string> args);
    /// What is out gets `k` and this reason. Idempotent; the first reason stays.
    void close(base::fault::kind k, std::string why);
    /// Returns true when the connection is lost or closed, false when it still stands after this time.
    boost::asio::awaitable<bool> closed_within(std::chrono::milliseconds);
    const std::string& loss() const noexcept { return loss_; }

  private:
    enum class state : unsigned char { fresh, open, closed };
    struct operation;
    template <class Handler>
    struct operation_of;
    struct free_reader {
        void operator()(redisReader*) const noexcept;
    };

    static boost::asio::awaitable<void> write_all(std::shared_ptr<connection> self);
    static boost::asio::awaitable<void> read_all(std::shared_ptr<connection> self);
    void send(operation*, std::span<const std::string> args);
    void parsed(std::string_view bytes);
    void answered(operation*, std::optional<reply>);
    void hand_over();
    void answer(std::vector<std::unique_ptr<operation>>& ready);
    void cancelled(operation*);
    void watch();
    void lose(const boost::system::error_code&);
    base::fault lost() const;

    boost::asio::any_io_executor ex_;
    std::chrono::milliseconds reply_timeout_;
    socket::stream wire_;
    std::unique_ptr<redisReader, free_reader> parser_;
    boost::asio::steady_timer watchdog_;
    runtime::condition moved_; // closed
    runtime::condition more_;  // something to write, or closed
    std::string unsent_;
    std::string going_out_;
    std::deque<operation*> outstanding_; // in the order of their replies
    std::vector<std::unique_ptr<operation>> ready_;
    std::vector<const char*> argv_; // kept for their capacity
    std::vector<std::size_t> lengths_;
    state state_ = state::fresh;
    bool writer_waits_ = false;
    bool watching_ = false;
    base::fault::kind loss_kind_ = base::fault::kind::unreachable;
    std::string loss_;
};

} // namespace semel::redis
