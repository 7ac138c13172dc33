#pragma once
// The seam between the delivery engine and the protocols. Sending is split in two, because only then is a crash before
// the claim a certain "not sent" (docs/exactly-once.md):
//
//   stage()    writes everything except the bytes that make the gateway accept (SMTP: the final dot; HTTP/2: the
//              last byte of the body; SMPP: the PDU itself)
//   release()  writes those bytes and waits for the answer
//
// Between the two the engine takes the claim in Redis.

#include <delivery/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

namespace semel::delivery {

/// Every session or stream is taken: says nothing of this message, and not that the gateway fails.
struct busy {};

/// Certainly not accepted, and not in doubt.
class refused {
  public:
    /// Throws std::logic_error for a verdict that is not one: a gateway that claims to have sent what it never wrote
    /// must not go on.
    explicit refused(verdict why)
        : why_(std::move(why)) {
        if (why_.what == verdict::kind::accepted || why_.what == verdict::kind::unknown) {
            throw std::logic_error{"a gateway says of a message that was not sent that it may have been"};
        }
    }
    const verdict& why() const noexcept { return why_; }

  private:
    verdict why_;
};

/// A message whose last bytes are still held back. Destroying it without release() withdraws it: the protocol makes
/// sure that the gateway does not accept it (drops the connection before the dot, resets the stream, frees the slot).
class staged {
  public:
    virtual ~staged() = default;
    /// Never throws for what the peer does; returns `unknown` when the connection was lost or the protocol's
    /// own timeout passed after the bytes went. Call once, and again only where the answer says `rest_after`: then some
    /// parts are accepted, and destroying it leaves a fragment.
    virtual boost::asio::awaitable<verdict> release() = 0;
};

using beginning = std::variant<std::unique_ptr<staged>, busy, refused>;

/// A gateway of semel.yaml with its connections. One strand.
class gateway {
  public:
    virtual ~gateway() = default;
    virtual const std::string& name() const noexcept = 0;
    /// Whether it can carry this message at all (push: the transport; email: SMTPUTF8 where needed is found at
    /// stage()).
    virtual bool serves(const outbound&) const noexcept = 0;
    /// How many messages may be staged or released at once, at most: the flight, and so the bound on doubt.
    virtual std::size_t window() const noexcept = 0;
    /// Waits for a free session or stream (at most `patience`), then writes. The message must outlive the result.
    virtual boost::asio::awaitable<beginning> stage(const outbound&, std::chrono::milliseconds patience) = 0;
    /// Keeps connections alive, refreshes tokens, reads receipts; runs until cancelled.
    virtual boost::asio::awaitable<void> run() = 0;
    /// Says goodbye (QUIT, GOAWAY, unbind) once nothing is in flight.
    virtual boost::asio::awaitable<void> close() = 0;
};

} // namespace semel::delivery
