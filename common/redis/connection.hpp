#pragma once
// One TCP connection to Redis: hiredis' async context, driven by Asio. Internal to this module; client.hpp is the face.
//
// hiredis owns the descriptor, Asio borrows it: hiredis calls the cleanup hook just before it closes the descriptor,
// and there Asio lets go. Every wait holds the connection alive, so that a late one finds an object, only a closed one.
// Replies are collected while hiredis is on the stack and handed over when it is not: a resumed coroutine may send,
// close or destroy what it likes.

#include "client.hpp"

#include <runtime/tasks.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>

struct redisAsyncContext;

namespace semel::redis {

class connection : public std::enable_shared_from_this<connection> {
  public:
    connection(boost::asio::any_io_executor, std::chrono::milliseconds reply_timeout);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Once. `ip` is an address, never a name: hiredis would resolve it and block.
    boost::asio::awaitable<base::result<void>> open(std::string ip, std::uint16_t port);
    bool is_open() const noexcept { return context_ != nullptr && connected_; }
    /// Sends now; `args` is not needed after the first step of the awaitable.
    boost::asio::awaitable<base::result<reply>> exchange(std::span<const std::string> args);
    /// What is out gets `k` and this reason. Idempotent; the first reason stays.
    void close(base::fault::kind k, std::string why);
    /// Returns true when the connection is lost or closed, false when it still stands after this time.
    boost::asio::awaitable<bool> closed_within(std::chrono::milliseconds);
    const std::string& loss() const noexcept { return loss_; }

  private:
    struct hooks; // what hiredis calls
    struct operation;
    template <class Handler>
    struct operation_of;

    void send(operation*, std::span<const std::string> args);
    void answered(operation*, const void* redis_reply);
    void hand_over();
    void answer(std::vector<std::unique_ptr<operation>>& ready);
    void cancelled(operation*);
    void want_read();
    void want_write();
    void flush();
    void watch();
    void let_go() noexcept;
    base::fault lost() const;

    boost::asio::any_io_executor ex_;
    std::chrono::milliseconds reply_timeout_;
    redisAsyncContext* context_ = nullptr;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer watchdog_;
    runtime::signal moved_;
    std::deque<operation*> outstanding_; // in the order of their replies
    std::vector<std::unique_ptr<operation>> ready_;
    std::vector<const char*> argv_; // kept for their capacity
    std::vector<std::size_t> lengths_;
    bool connected_ = false;
    bool read_armed_ = false;
    bool write_armed_ = false;
    bool write_wanted_ = false;
    bool watching_ = false;
    base::fault::kind loss_kind_ = base::fault::kind::unreachable;
    std::string loss_;
};

} // namespace semel::redis
