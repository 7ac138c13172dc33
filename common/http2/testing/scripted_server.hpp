#pragma once
// An HTTP/2 server over TLS on loopback for tests: answers by a function, and misbehaves on demand. Runs on the test's
// own executor; frames are nghttp2's.

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::http2::testing {

struct seen_request {
    int connection = 0; // 1, 2, ... in the order of their arrival
    std::int32_t stream = 0;
    std::map<std::string, std::string> headers;
    std::string body;
};

struct scripted_answer {
    int status = 200;
    std::map<std::string, std::string> headers;
    std::string body;
    enum class end : unsigned char { normal, refused_stream, internal_error } how = end::normal; // else: RST_STREAM
};

class scripted_server {
  public:
    /// Called for each complete request; nothing: silence.
    using handler = std::function<std::optional<scripted_answer>(const seen_request&)>;

    /// Listens on a free port of 127.0.0.1 with a fresh self-signed certificate for "localhost" and 127.0.0.1.
    scripted_server(boost::asio::any_io_executor, handler);
    ~scripted_server();

    std::uint16_t port() const;
    std::string endpoint() const;            // https://localhost:PORT
    const std::filesystem::path& ca() const; // the certificate as a PEM file

    void answer_with(handler);
    /// For connections accepted from now on.
    void allow_streams(std::uint32_t);
    /// Closes a connection after so many bytes of HTTP/2 have been read from it, or written to it.
    void cut_after_reading(std::optional<std::size_t>);
    void cut_after_writing(std::optional<std::size_t>);
    /// Reads, but neither answers PING nor anything else.
    void fall_silent(bool);
    /// On all open connections.
    void goaway(std::int32_t last_stream, std::uint32_t code);
    void close_connections();

    int connections_accepted() const;
    const std::vector<seen_request>& requests() const; // complete ones
    /// Streams that were opened, complete or not.
    std::size_t streams_begun() const;
    std::size_t streams_reset() const;
    std::size_t bytes_read() const;    // of the newest connection
    std::size_t bytes_written() const; // of the newest connection

    struct impl;

  private:
    std::shared_ptr<impl> impl_;
};

} // namespace semel::http2::testing
