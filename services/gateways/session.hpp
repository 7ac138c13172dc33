#pragma once
// The seam between the protocols and their sockets: a session is bytes in, bytes out; what else it wants, it asks of
// its wire. No session knows a socket, so each can be fed by a test.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace semel::gateways {

class wire {
  public:
    virtual ~wire() = default;
    /// Calls it after that time, if the connection is still there, and writes what it left to write.
    virtual void later(std::chrono::microseconds, std::function<void()>) = 0;
    /// Writes what the session has, although nothing came in.
    virtual void pump() = 0;
    /// TCP RST, after noting what was accepted; whatever was not written is lost.
    virtual void reset() = 0;
    /// Closes in order once everything is written.
    virtual void hang_up() = 0;
};

class session {
  public:
    virtual ~session() = default;
    virtual void received(std::string_view bytes) = 0;
    /// Appends what is to be written now. Empty: nothing for now.
    virtual void take_output(std::string& out) = 0;
    /// Wants to read nothing for now.
    virtual bool holds() const noexcept { return false; }
    /// Whether an answer is still due: a drain waits for it.
    virtual bool owes() const noexcept = 0;
    /// The process drains: say goodbye where the protocol has a word for it.
    virtual void farewell() = 0;
    /// The connection is gone.
    virtual void lost() {}
};

} // namespace semel::gateways
