#pragma once
// A campaign's register in Redis: opened under a head that agrees with the server that answers, filled, asked. Every
// answer is good for one session only: when the connection was another one meanwhile, or the head another marker,
// nothing is answered and the caller starts over with a new session. One strand.

#include <redis/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <plan/core/barrier.hpp>
#include <plan/core/packing.hpp>

#include <span>
#include <vector>

namespace semel::plan {

/// A usable head, seen on one connection.
struct session {
    base::campaign_id campaign;
    plan::head head;
    std::uint64_t generation = 0;
    bool made_now = false; // by this call: there was none, or one of another server
};

struct keyed_entry {
    crypto::hash128 key{};
    plan::entry entry;
};

/// A wave of which the register may hold something.
struct registered_wave {
    std::uint32_t number = 0;
    layout shape;
};

/// A register that is being removed. Its head names no server's identity, so nobody believes what is left of it.
struct removal {
    base::campaign_id campaign;
    std::string marker; // empty: there is nothing to take away
    std::vector<registered_wave> waves;
    std::uint32_t bucket = 0; // the next one, of the last wave
};

/// Faults of all functions: unreachable (Redis, or this connection, is gone), transient (the register was lost or is
/// not complete; its registrars are at work), broken (Redis refuses, in its words). None says that nothing was written:
/// all writes may be repeated.
class register_store {
  public:
    explicit register_store(redis::client& redis)
        : redis_(redis) {}

    /// Waits for a connection. Replaces a head that was made on another server.
    boost::asio::awaitable<base::result<session>> open(base::campaign_id);
    /// Whether the session's head still stands on the server that answers now: asked before each commit.
    boost::asio::awaitable<base::result<void>> confirm(const session&);
    /// The register contradicts the audience: a new head, so that everything is registered again.
    boost::asio::awaitable<base::result<void>> condemn(const session&);

    /// Begins to take the register away, or goes on with what somebody else began. Who opens the register afterwards
    /// ends this: the next step answers `transient` and removes nothing.
    boost::asio::awaitable<base::result<removal>> begin_removal(base::campaign_id, std::vector<registered_wave>);
    /// One small step. False: that was the last one. The head goes last: where there is none, there is nothing else.
    boost::asio::awaitable<base::result<bool>> remove_some(removal&);

    boost::asio::awaitable<base::result<void>> put(const session&, std::uint32_t wave, layout,
                                                   std::span<const keyed_entry>);
    boost::asio::awaitable<base::result<void>> mark(const session&, plan::mark);
    /// In the order of the keys; only while all marks are finished.
    boost::asio::awaitable<base::result<std::vector<entry>>> look_up(const session&, std::uint32_t wave, layout,
                                                                     std::span<const crypto::hash128> keys,
                                                                     std::span<const plan::mark> required);

  private:
    struct standing_head {
        std::optional<plan::head> head;
        plan::server server;
        std::uint64_t generation = 0;
    };
    boost::asio::awaitable<base::result<standing_head>> look(const base::campaign_id&);
    boost::asio::awaitable<base::result<std::string>> raise(const base::campaign_id&, std::string old_marker,
                                                            std::string server);
    base::result<void> same_connection(const session&) const;

    redis::client& redis_;
};

} // namespace semel::plan
