#pragma once
// One connection of the server: reads requests one after the other, calls their handlers, writes the answers. Internal
// to this module; server.hpp is the face.

#include "server.hpp"

#include <socket/stream.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <optional>

namespace semel::http {

struct request::source {
    virtual boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into) = 0;
    virtual std::string_view header(std::string_view name) const = 0;
    virtual const server_options& options() const = 0;
    virtual void signed_in() = 0;

  protected:
    ~source() = default;
};

/// What a session needs of its server.
struct service {
    const server_options& options;
    const route_table& table;
    const std::vector<handler>& handlers;
    const bool& stopping;
};

class session final : request::source {
  public:
    /// Without a context: plain HTTP.
    session(socket::stream, std::shared_ptr<boost::asio::ssl::context>, service);
    boost::asio::awaitable<void> run();
    /// Between two requests, where nothing is lost by closing.
    bool idle() const noexcept { return idle_; }
    /// A stranger without a whole request's header: may be closed to make room.
    bool gives_way() const noexcept { return !known_ && waits_; }
    bool known() const noexcept { return known_; }
    const boost::asio::ip::address& peer() const noexcept { return peer_; }
    void close() {
        closed_ = true;
        stream_.close();
        hurry();
    }
    /// An answer that is held back goes out now.
    void hurry() { pause_.cancel(); }

  private:
    enum class next : unsigned char { request, goodbye, cut };

    boost::asio::awaitable<next> serve_one();
    boost::asio::awaitable<response> dispatch();
    boost::asio::awaitable<response> call(const handler&, request&);
    boost::asio::awaitable<void> hold_back(std::chrono::milliseconds);
    boost::asio::awaitable<next> answer(response);
    boost::asio::awaitable<next> answer_streamed(response);
    bool body_is_here();
    boost::asio::awaitable<bool> shake_hands();
    boost::asio::awaitable<void> linger();

    boost::asio::awaitable<base::result<std::size_t>> read_some(std::span<char> into) override;
    std::string_view header(std::string_view name) const override;
    const server_options& options() const override { return service_.options; }
    void signed_in() override { known_ = true; }
    bool dawdles() const;

    service service_;
    socket::stream stream_;
    std::shared_ptr<boost::asio::ssl::context> tls_; // of the handshake to come; nothing: plain
    boost::asio::steady_timer pause_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
    boost::asio::ip::address peer_;
    std::chrono::steady_clock::time_point body_began_;
    std::uint64_t body_bytes_ = 0;
    bool known_ = false;  // a request was signed in
    bool waits_ = true;   // for a request, or the rest of its header
    bool closed_ = false; // to make room
    bool idle_ = false;
    bool keep_ = true;
    bool awaits_continue_ = false; // the client holds its body back until we say 100
    bool broken_ = false;          // the body could not be read to its end
};

} // namespace semel::http
