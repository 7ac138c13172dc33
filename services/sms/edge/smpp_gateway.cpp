#include <config/secret.hpp>
#include <runtime/tasks.hpp>
#include <semel/v1/delivery.pb.h>
#include <socket/stream.hpp>
#include <telemetry/log.hpp>

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <sms/core/addressing.hpp>
#include <sms/core/classify.hpp>
#include <sms/core/receipt.hpp>
#include <sms/core/session.hpp>
#include <sms/edge/smpp_gateway.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <unordered_map>

namespace semel::sms {

namespace asio = boost::asio;
using delivery::refused;
using delivery::verdict;
using kind = verdict::kind;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

verdict ours(kind what, std::string_view code, std::string text) {
    return {.what = what,
            .code = fmt::format("semel:{}", code),
            .text = std::move(text),
            .message_id = {},
            .retry_after = {}};
}

verdict as_verdict(const base::fault& f, std::string_view code) {
    switch (f.what()) {
    case base::fault::kind::broken:
        return ours(kind::lane_stop, code, f.why());
    case base::fault::kind::permanent:
        return ours(kind::permanent, code, f.why());
    default:
        return ours(kind::transient, code, f.why());
    }
}

bool again_later(kind k) noexcept {
    return k == kind::throttled || k == kind::transient;
}

int receipt_state(message_state s) noexcept {
    switch (s) {
    case message_state::delivered:
        return v1::RECEIPT_DELIVERED;
    case message_state::expired:
    case message_state::deleted:
    case message_state::undeliverable:
    case message_state::rejected:
    case message_state::skipped:
        return v1::RECEIPT_BOUNCED;
    case message_state::scheduled:
    case message_state::enroute:
    case message_state::accepted:
        return v1::RECEIPT_INTERMEDIATE;
    case message_state::unknown:
        return v1::RECEIPT_UNKNOWN;
    }
    return v1::RECEIPT_UNKNOWN;
}

/// The handset's number in E.164, as it was sent; empty where it is hidden. A receipt travels the other way, so it is
/// the source; some centres leave the addresses as they were in the submit_sm.
std::string handset_of(const config::smpp& centre, const message& m) {
    const auto ours = source(centre.source_address);
    const bool unturned = ours && m.source == ours->digits && m.destination != ours->digits;
    const auto number = destination(unturned ? m.destination : m.source);
    return number ? '+' + number->digits : std::string{};
}

delivery::late_report as_report(const std::string& gateway, const config::smpp& centre, const message& m,
                                const receipt& r) {
    delivery::late_report out;
    out.gateway = gateway;
    out.message_id = r.message_id;
    out.state = receipt_state(r.state);
    const auto word = r.word.empty() ? std::string{to_string(r.state)} : r.word;
    out.code = r.error.empty() ? word : fmt::format("{} {}", word, r.error);
    if (const auto* ref = m.find(tag::user_message_reference); ref != nullptr && ref->size() == 2) {
        out.user_message_reference = static_cast<std::uint16_t>(static_cast<std::uint8_t>((*ref)[0]) << 8U |
                                                                static_cast<std::uint8_t>((*ref)[1]));
    }
    out.destination = handset_of(centre, m);
    out.time = base::now();
    return out;
}

constexpr auto rethrow = [](const std::exception_ptr& e) { // exceptions of a detached task are bugs
    if (e) {
        std::rethrow_exception(e);
    }
};

} // namespace

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
    runtime::signal poke; // there is something to write, or it is over
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
    runtime::signal changed;

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

    telemetry::counter counted(telemetry::metrics& m, const char* what) const {
        return m.make_counter("semel_sms_deliver_sm_total",
                              "deliver_sm received: receipts, unreadable receipts, messages from handsets",
                              {{"gateway", name}, {"kind", what}});
    }

    void start() {
        if (!started && !closed) {
            started = true;
            for (unsigned i = 0; i < std::max(1U, centre.binds); ++i) {
                ++keepers;
                asio::co_spawn(executor, keep_bound(shared_from_this()), rethrow);
            }
        }
    }

    /// One bind, for as long as the gateway is open.
    static asio::awaitable<void> keep_bound(std::shared_ptr<pool> self) {
        unsigned failures = 0;
        while (!self->closed) {
            const auto why = co_await self->serve_one(failures);
            if (self->closed) {
                break;
            }
            self->failure = why;
            const auto pause =
                std::min(self->tune.longest_back_off, self->tune.first_back_off * (1U << std::min(failures, 10U)));
            ++failures;
            telemetry::log().warn(
                "smpp_session_lost",
                {{"gateway", self->name}, {"code", why.code}, {"reason", why.text}, {"next_try_ms", pause.count()}});
            self->changed.notify();
            const auto again = clock::now() + pause;
            while (!self->closed && clock::now() < again) {
                co_await self->changed.wait_for(std::chrono::ceil<milliseconds>(again - clock::now()));
            }
        }
        --self->keepers;
        self->changed.notify();
    }

    /// Connects, binds, serves until the session ends; says why it did.
    asio::awaitable<verdict> serve_one(unsigned& failures) {
        socket::stream wire{executor};
        wire.expires_after(tune.connect);
        if (auto ok = co_await wire.connect(centre.host, centre.port); !ok) {
            co_return as_verdict(ok.error(), "connect");
        }
        if (tls) {
            if (auto ok = co_await wire.secure(tls, centre.host); !ok) {
                co_return as_verdict(ok.error(), "tls");
            }
        }
        wire.never_expires(); // from here on the session watches the clock
        auto c = std::make_shared<connection>(executor, std::move(wire), session_settings);
        asio::co_spawn(executor, write_all(shared_from_this(), c), rethrow);
        std::array<char, 16384> buffer{};
        std::string how = "the session was given up";
        bool listed = false;
        while (c->talk.where() != session::phase::closed) {
            const auto [ec, received] = co_await c->wire.read_some(buffer);
            if (ec) {
                how = fmt::format("the connection was lost ({})", ec.message());
                break;
            }
            c->talk.feed({buffer.data(), received}, clock::now());
            settle_events(c);
            if (!listed && c->talk.where() == session::phase::bound) {
                listed = true;
                failures = 0;
                failure.reset();
                connections.push_back(c);
                bound.set(static_cast<double>(connections.size()));
                if (closed) {
                    c->talk.unbind(clock::now());
                }
                changed.notify();
            }
            c->poke.notify();
        }
        c->over = true;
        c->poke.notify();
        c->wire.close();
        while (!c->writer_ended) {
            co_await c->poke.wait();
        }
        c->talk.lost(how, c->unwritten);
        settle_events(c);
        std::erase(connections, c);
        bound.set(static_cast<double>(connections.size()));
        changed.notify();
        co_return c->talk.failure().value_or(verdict{});
    }

    /// Everything that has gathered goes out in one write; between writes the session's clock is looked at.
    static asio::awaitable<void> write_all(std::shared_ptr<pool> self, std::shared_ptr<connection> c) {
        constexpr milliseconds look{200};
        auto looked = clock::now();
        std::string chunk;
        while (true) {
            if (const auto now = clock::now(); now - looked >= look) {
                looked = now;
                c->talk.tick(now);
                self->settle_events(c);
            }
            if (c->talk.has_output()) {
                chunk = c->talk.take_output();
                const auto [ec, sent] = co_await c->wire.write(chunk);
                if (ec) {
                    // Under TLS a record may have left before its write was counted.
                    c->unwritten = c->wire.is_secured() ? 0 : chunk.size() - sent;
                    break;
                }
                continue;
            }
            if (c->over || c->talk.where() == session::phase::closed) {
                break;
            }
            co_await c->poke.wait_for(look);
        }
        c->writer_ended = true;
        c->wire.close(); // wakes the reader, which settles what is open
        c->poke.notify();
    }

    void settle_events(const std::shared_ptr<connection>& c) {
        for (auto& event : c->talk.take_events()) {
            if (auto* a = std::get_if<session::answered>(&event)) {
                settle(*c, *a);
            } else {
                take_delivery(c, std::get<session::arrived>(event));
            }
        }
    }

    void settle(connection& c, session::answered& a) {
        const auto found = c.flights.find(a.sequence);
        if (found == c.flights.end()) {
            return;
        }
        const auto [f, part] = std::move(found->second);
        c.flights.erase(found);
        f->parts[part] = std::move(a.outcome);
        if (f->parts.size() > 1 && again_later(f->parts[part].what)) {
            // The slot that just became free stays with this message, which may need it for another try. After a loss
            // there is none, and none is needed.
            c.talk.reserve(1);
        } else {
            changed.notify();
        }
        if (--f->unanswered == 0) {
            f->answered.cancel();
        }
    }

    void take_delivery(const std::shared_ptr<connection>& c, session::arrived& a) {
        if (!is_receipt(a.message)) {
            from_handsets.add();
            c->talk.acknowledge(a.sequence, status::ok, a.message.kind);
            return;
        }
        const auto read = read_receipt(a.message);
        (read ? receipts : unreadable).add();
        constexpr std::size_t most = 1000; // beyond, the centre keeps them a little longer
        if (c->receipts_under_way >= most) {
            c->talk.acknowledge(a.sequence, status::queue_full, a.message.kind);
            return;
        }
        ++c->receipts_under_way;
        asio::co_spawn(executor,
                       hand_over(shared_from_this(), c, a.sequence, a.message.kind,
                                 as_report(name, centre, a.message, read.value_or(receipt{}))),
                       rethrow);
    }

    static asio::awaitable<void> hand_over(std::shared_ptr<pool> self, std::shared_ptr<connection> c,
                                           std::uint32_t sequence, command kind, delivery::late_report report) {
        const bool safe = co_await self->sink(std::move(report));
        --c->receipts_under_way;
        c->talk.acknowledge(sequence, safe ? status::ok : status::receiver_temporary, kind);
        c->poke.notify();
    }

    /// The bound session with the most room, when it has enough.
    std::shared_ptr<connection> with_room(unsigned slots) const {
        const auto widest =
            std::ranges::max_element(connections, {}, [](const auto& c) { return c->talk.free_slots(); });
        return widest != connections.end() && (*widest)->talk.free_slots() >= slots ? *widest : nullptr;
    }
};

class smpp_gateway::staged_sms final : public delivery::staged {
  public:
    staged_sms(std::shared_ptr<pool> p, std::shared_ptr<connection> c, std::vector<message> parts)
        : pool_(std::move(p))
        , connection_(std::move(c))
        , parts_(std::move(parts))
        , reserved_(parts_.size()) {}
    staged_sms(const staged_sms&) = delete;
    staged_sms& operator=(const staged_sms&) = delete;
    ~staged_sms() override { give_back(); }

    asio::awaitable<verdict> release() override {
        if (connection_->talk.where() != session::phase::bound) {
            co_return ours(kind::transient, "lost", "the session ended before the PDU was written");
        }
        const auto f = std::make_shared<flight>(pool_->executor, parts_.size());
        std::vector<std::size_t> todo(parts_.size());
        std::ranges::generate(todo, [i = std::size_t{0}]() mutable { return i++; });
        for (unsigned round = 0;; ++round) {
            for (const auto part : todo) {
                connection_->submit(f, part, parts_[part]);
                --reserved_;
            }
            while (f->unanswered > 0) {
                co_await f->answered.async_wait(asio::as_tuple(asio::use_awaitable));
            }
            todo.clear();
            for (std::size_t i = 0; i < f->parts.size(); ++i) {
                if (again_later(f->parts[i].what)) {
                    todo.push_back(i);
                }
            }
            const bool bound = connection_->talk.where() == session::phase::bound;
            reserved_ = bound && parts_.size() > 1 ? todo.size() : 0; // see pool::settle
            const bool fragment =
                todo.size() < parts_.size() &&
                std::ranges::all_of(
                    f->parts, [](const verdict& v) { return v.what == kind::accepted || again_later(v.what); });
            if (todo.empty() || !fragment || !bound || round + 1 >= pool_->tune.part_tries) {
                co_return combine(f->parts);
            }
            f->answered.expires_after(pool_->tune.part_pause);
            co_await f->answered.async_wait(asio::as_tuple(asio::use_awaitable));
            f->answered.expires_at(clock::time_point::max());
            if (connection_->talk.where() != session::phase::bound) {
                reserved_ = 0;
                co_return combine(f->parts);
            }
        }
    }

  private:
    std::shared_ptr<pool> pool_;
    std::shared_ptr<connection> connection_;
    std::vector<message> parts_;
    std::size_t reserved_; // slots of the session's window held and not used

    void give_back() {
        if (reserved_ > 0 && connection_->talk.where() != session::phase::closed) {
            connection_->talk.unreserve(static_cast<unsigned>(reserved_));
            pool_->changed.notify();
        }
    }
};

smpp_gateway::smpp_gateway(std::shared_ptr<pool> p)
    : pool_(std::move(p)) {}

smpp_gateway::~smpp_gateway() {
    pool_->closed = true;
    for (const auto& c : pool_->connections) {
        c->wire.close();
    }
    pool_->changed.notify();
}

base::result<std::unique_ptr<smpp_gateway>> smpp_gateway::make(asio::any_io_executor executor, const config::gateway& g,
                                                               receipt_sink sink, telemetry::metrics& metrics) {
    return make(std::move(executor), g, std::move(sink), metrics, tuning{});
}

base::result<std::unique_ptr<smpp_gateway>> smpp_gateway::make(asio::any_io_executor executor, const config::gateway& g,
                                                               receipt_sink sink, telemetry::metrics& metrics,
                                                               tuning tune) {
    const auto broken = [&](std::string_view why) {
        return base::failed(base::fault::kind::broken, fmt::format("gateway {}: {}", g.name, why));
    };
    auto p = std::make_shared<pool>(executor, g, std::move(sink), metrics, tune);
    auto password = config::secret_in(p->centre.password_file);
    if (!password) {
        return broken(password.error().why());
    }
    if (p->centre.system_id.size() > 15 || password->size() > 8 || p->centre.system_type.size() > 12) {
        return broken("SMPP takes a system_id of up to 15 bytes, a password of up to 8 and a system_type of up to 12");
    }
    if (!p->centre.source_address.empty()) {
        if (auto ok = source(p->centre.source_address); !ok) {
            return broken(ok.error().why());
        }
    }
    if (p->centre.tls) {
        auto context = socket::client_context({});
        if (!context) {
            return broken(context.error().why());
        }
        p->tls = std::move(*context);
    }
    p->session_settings = {.system_id = p->centre.system_id,
                           .password = std::move(*password),
                           .system_type = p->centre.system_type,
                           .window = std::max(1U, p->centre.window),
                           .enquire_link = p->centre.enquire_link,
                           .response_timeout = p->centre.response_timeout};
    return std::unique_ptr<smpp_gateway>{new smpp_gateway{std::move(p)}};
}

const std::string& smpp_gateway::name() const noexcept {
    return pool_->name;
}
bool smpp_gateway::serves(const delivery::outbound& m) const noexcept {
    return !m.parts.empty();
}
std::size_t smpp_gateway::window() const noexcept {
    return std::size_t{std::max(1U, pool_->centre.binds)} * pool_->session_settings.window;
}

asio::awaitable<delivery::beginning> smpp_gateway::stage(const delivery::outbound& message, milliseconds patience) {
    const auto p = pool_;
    p->start();
    const auto deadline = clock::now() + patience;
    const auto to = destination(message.address);
    if (!to) {
        co_return refused{as_verdict(to.error(), "address")};
    }
    const auto from = source(message.sender.empty() ? p->centre.source_address : message.sender);
    if (!from) {
        co_return refused{as_verdict(from.error(), "sender")};
    }
    const auto slots = static_cast<unsigned>(message.parts.size());
    if (slots > p->session_settings.window) {
        co_return refused{
            ours(kind::ambiguous, "window",
                 fmt::format("a message of {} parts does not fit the gateway's window of {}; raise window", slots,
                             p->session_settings.window))};
    }
    const auto reference = user_message_reference(message.notification);
    std::vector<sms::message> parts(slots);
    for (std::size_t i = 0; i < slots; ++i) {
        auto& m = parts[i];
        if (message.parts[i].size() > 254) {
            co_return refused{ours(kind::ambiguous, "content",
                                   "an SMS part is over 254 bytes; this is a bug in the compiled notice")};
        }
        m.source_numbering = from->plan;
        m.source = from->digits;
        m.destination_numbering = to->plan;
        m.destination = to->digits;
        m.esm_class = slots > 1 ? 0x40 : 0x00; // parts begin with a user data header
        m.validity = validity_period(message.give_up);
        m.registered_delivery = 1;
        m.data_coding = message.data_coding;
        m.short_message = message.parts[i];
        m.optional = {
            {tag::user_message_reference, {static_cast<char>(reference >> 8U), static_cast<char>(reference & 0xFFU)}}};
    }

    struct place_in_line {
        std::deque<std::uint64_t>& queue;
        std::uint64_t ticket;
        place_in_line(std::deque<std::uint64_t>& q, std::uint64_t t)
            : queue(q)
            , ticket(t) {
            queue.push_back(t);
        }
        place_in_line(const place_in_line&) = delete;
        ~place_in_line() { std::erase(queue, ticket); }
        bool first() const noexcept { return queue.front() == ticket; }
    };
    const place_in_line place{p->queue, p->next_ticket++};
    while (true) {
        if (p->closed) {
            co_return refused{ours(kind::transient, "closing", "the gateway is closing")};
        }
        if (place.first()) {
            if (auto c = p->with_room(slots)) {
                c->talk.reserve(slots);
                p->changed.notify(); // the next in line may fit too
                co_return std::make_unique<staged_sms>(p, std::move(c), std::move(parts));
            }
        }
        if (p->connections.empty() && p->failure && p->failure->what == kind::lane_stop) {
            co_return refused{*p->failure};
        }
        const auto now = clock::now();
        if (now >= deadline) {
            if (p->connections.empty() && p->failure) {
                co_return refused{*p->failure};
            }
            co_return delivery::busy{};
        }
        co_await p->changed.wait_for(std::chrono::ceil<milliseconds>(deadline - now));
    }
}

asio::awaitable<void> smpp_gateway::run() {
    const auto p = pool_;
    p->start();
    while (co_await runtime::sleep(std::chrono::hours{24})) {
        // The binds keep themselves; this only lasts until it is cancelled, and they last until close().
    }
}

asio::awaitable<void> smpp_gateway::close() {
    const auto p = pool_;
    p->closed = true;
    for (const auto& c : p->connections) {
        c->talk.unbind(clock::now());
        c->poke.notify();
    }
    p->changed.notify();
    const auto deadline = clock::now() + std::chrono::seconds{3}; // for courtesy, not for correctness
    while (p->keepers > 0 && clock::now() < deadline) {
        co_await p->changed.wait_for(std::chrono::ceil<milliseconds>(deadline - clock::now()));
    }
    for (const auto& c : p->connections) {
        c->wire.close();
    }
}

} // namespace semel::sms
