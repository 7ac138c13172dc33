#pragma once
// What smpp_gateway consists of: the bound sessions of one message centre and the messages under way on them.

#include <runtime/condition.hpp>
#include <runtime/retry.hpp>
#include <socket/stream.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio.hpp>
#include <sms/core/session.hpp>
#include <sms/edge/smpp_gateway.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace semel::sms {

namespace asio = boost::asio;
using delivery::verdict;
using kind = verdict::kind;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

verdict ours(kind what, std::string_view code, std::string text);
verdict as_verdict(const base::fault& f, std::string_view code);
bool again_later(kind k) noexcept;

/// One message between release() and its answers.
struct smpp_gateway::flight {
    std::vector<verdict> parts;
    std::size_t unanswered = 0;
    asio::steady_timer answered; // never expires; cancelled when unanswered is 0

    flight(const asio::any_io_executor& e, std::size_t n)
        : parts(n)
        , answered(e, clock::time_point::max()) {}
};

struct smpp_gateway::connection {
    socket::stream wire;
    session talk;
    runtime::condition poke; // there is something to write, or it is over
    bool over = false;
    bool writer_ended = false;
    std::size_t unwritten = 0;
    std::unordered_map<std::uint32_t, std::pair<std::shared_ptr<flight>, std::size_t>> flights; // by sequence
    std::size_t receipts_under_way = 0;

    connection(const asio::any_io_executor& e, socket::stream s, const session::settings& settings)
        : wire(std::move(s))
        , talk(settings, clock::now())
        , poke(e) {}

    void submit(const std::shared_ptr<flight>& f, std::size_t part, const message& m) {
        const auto sequence = talk.submit(m, clock::now());
        flights.emplace(sequence, std::pair{f, part});
        ++f->unanswered;
        poke.notify();
    }
};

struct smpp_gateway::pool : std::enable_shared_from_this<pool> {
    asio::any_io_executor executor;
    std::string name;
    config::smpp centre;
    tuning tune;
    receipt_sink sink;
    session::settings session_settings;
    std::shared_ptr<asio::ssl::context> tls;
    telemetry::counter receipts, unreadable, from_handsets;
    telemetry::gauge bound;

    std::vector<std::shared_ptr<connection>> connections; // bound ones
    std::size_t keepers = 0;                              // coroutines that hold a bind
    bool started = false;
    bool closed = false;
    std::optional<verdict> failure; // of the last bind, until one succeeds
    std::uint64_t next_ticket = 0;
    std::deque<std::uint64_t> queue; // first come, first served: a long message is not starved by short ones
    runtime::condition changed;

    pool(const asio::any_io_executor& e, const config::gateway& g, receipt_sink s, telemetry::metrics& m, tuning t)
        : executor(e)
        , name(g.name)
        , centre(std::get<config::smpp>(g.link))
        , tune(t)
        , sink(std::move(s))
        , receipts(counted(m, "receipt"))
        , unreadable(counted(m, "unreadable"))
        , from_handsets(counted(m, "from_handset"))
        , bound(m.make_gauge("semel_sms_bound_sessions", "SMPP sessions bound to the message centre",
                             {{"gateway", g.name}}))
        , changed(e) {}

    telemetry::counter counted(telemetry::metrics& m, const char* what) const;
    void start();
    /// One bind, for as long as the gateway is open.
    static asio::awaitable<void> keep_bound(std::shared_ptr<pool> self);
    /// Connects, binds, serves until the session ends; says why it did.
    asio::awaitable<verdict> serve_one(runtime::retry& again);
    /// Everything that has gathered goes out in one write; between writes the session's clock is looked at.
    static asio::awaitable<void> write_all(std::shared_ptr<pool> self, std::shared_ptr<connection> c);
    void settle_events(const std::shared_ptr<connection>& c);
    void settle(connection& c, session::answered& a);
    void take_delivery(const std::shared_ptr<connection>& c, session::arrived& a);
    static asio::awaitable<void> hand_over(std::shared_ptr<pool> self, std::shared_ptr<connection> c,
                                           std::uint32_t sequence, command kind, delivery::late_report report);
    /// The bound session with the most room, when it has enough.
    std::shared_ptr<connection> with_room(unsigned slots) const;
};

} // namespace semel::sms
