#pragma once
// HTTP/2, client side, as a codec over memory: bytes in by feed(), bytes out by pending(), finished requests by
// take_finished(). No socket, no clock; nghttp2 does the framing. One thread or strand.
//
// The last byte of a request's body can be held back. Until it has been handed out by pending(), a server cannot have
// the whole request, so whatever happens to the stream is a certain "not processed". From then on only the peer's own
// word makes it certain: REFUSED_STREAM, or a GOAWAY whose last stream id is smaller (RFC 9113, sections 6.8 and 8.7).

#include <base/fault.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::http2 {

using stream_id = std::int32_t;

struct header {
    std::string name; // lower case
    std::string value;
    bool unique = false; // differs in every request, or is sensitive: kept out of the header compression's table
};

struct request {
    std::string method = "POST";
    std::string authority;
    std::string path;            // never put into the compression's table: it may hold a device's token
    std::vector<header> headers; // without pseudo headers and content-length
    std::string body;
};

struct response {
    int status = 0;
    std::vector<header> headers; // at most codec::max_response_headers; the rest is dropped
    std::string body;
    /// False when the stream ended or was cut before the end of the body (or the body was too long): the status counts,
    /// the body may not.
    bool complete = false;

    /// Empty when there is none. `name` in lower case.
    std::string_view header_value(std::string_view name) const noexcept;
};

/// No status came.
struct failure {
    enum class certainty : unsigned char {
        not_processed, ///< the peer has not acted on it and never will
        unknown,       ///< the last byte went out; nobody knows
    };
    certainty sure = certainty::unknown;
    std::string why;
};

using outcome = std::expected<response, failure>;

struct finished {
    stream_id id = 0;
    outcome result;
};

class codec {
  public:
    static constexpr std::size_t max_response_body_bytes = 64 * 1024;
    static constexpr std::size_t max_response_headers = 32;
    static constexpr std::size_t max_header_bytes = 8 * 1024;

    /// `streams`: at most so many at once, whatever the peer allows.
    explicit codec(std::size_t streams);
    ~codec();
    codec(const codec&) = delete;
    codec& operator=(const codec&) = delete;

    /// malformed: the peer broke the protocol; pending() then has the GOAWAY that says so, and the connection is over.
    base::result<void> feed(std::string_view bytes);
    /// Appends what is to be written, until `out` has at least `enough` bytes or nothing is left.
    void pending(std::string& out, std::size_t enough);

    /// How many submit() would take now: 1 in all until the peer's first SETTINGS (then its
    /// SETTINGS_MAX_CONCURRENT_STREAMS), 0 after a GOAWAY in either direction.
    std::size_t free_streams() const noexcept;
    std::size_t open_streams() const noexcept;

    /// Opens a stream. `hold`: the last byte of the body (of an empty body: the end of the stream) waits for
    /// release(). Nothing when no stream is free.
    std::optional<stream_id> submit(request&&, bool hold);
    void release(stream_id);
    /// RST_STREAM(CANCEL). The stream finishes by it, with `why`: not_processed if its last byte had not been handed
    /// out.
    void cancel(stream_id, std::string why);
    /// Cancels, and forgets the stream: nobody waits for its end.
    void abandon(stream_id);

    void ping();
    /// PING frames not yet answered.
    std::size_t pings_out() const noexcept;
    /// No new streams; open ones go on.
    void goodbye();
    /// The connection is gone: every open stream finishes now.
    void lost(std::string_view why);

    /// Whether the peer's SETTINGS have come.
    bool greeted() const noexcept;
    bool going_away() const noexcept;
    /// Said goodbye (or was told so), and nothing is left to read or write.
    bool over() const noexcept;
    bool wants_write() const noexcept;

    /// What finished since the last call, in order.
    std::vector<finished> take_finished();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::http2
