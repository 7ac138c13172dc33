#include "smpp_pool.hpp"

#include <base/codes.hpp>
#include <semel/v1/delivery.pb.h>
#include <telemetry/log.hpp>

#include <fmt/format.h>
#include <sms/core/receipt.hpp>
#include <sms/edge/late_report.hpp>

#include <algorithm>
#include <array>

namespace semel::sms {

verdict ours(kind what, std::string_view code, std::string text) {
    return {.what = what, .code = std::string{code}, .text = std::move(text), .message_id = {}, .retry_after = {}};
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

namespace {

constexpr auto rethrow = [](const std::exception_ptr& e) { // exceptions of a detached task are bugs
    if (e) {
        std::rethrow_exception(e);
    }
};

} // namespace

telemetry::counter smpp_gateway::pool::counted(telemetry::metrics& m, const char* what) const {
    return m.make_counter("semel_sms_deliver_sm_total",
                          "deliver_sm received: receipts, unreadable receipts, messages from handsets",
                          {{"gateway", name}, {"kind", what}});
}

void smpp_gateway::pool::start() {
    if (!started && !closed) {
        started = true;
        for (unsigned i = 0; i < std::max(1U, centre.binds); ++i) {
            ++keepers;
            asio::co_spawn(executor, keep_bound(shared_from_this()), rethrow);
        }
    }
}

asio::awaitable<void> smpp_gateway::pool::keep_bound(std::shared_ptr<pool> self) {
    runtime::retry again{{.first = self->tune.first_back_off, .longest = self->tune.longest_back_off}};
    while (!self->closed) {
        const auto why = co_await self->serve_one(again);
        if (self->closed) {
            break;
        }
        self->failure = why;
        const auto pause = again.next();
        telemetry::log().warn(
            "session.lost",
            {{"gateway", self->name}, {"code", why.code}, {"text", why.text}, {"next_try_ms", pause.count()}});
        self->changed.notify();
        const auto until = clock::now() + pause;
        while (!self->closed && clock::now() < until) {
            co_await self->changed.wait_for(std::chrono::ceil<milliseconds>(until - clock::now()));
        }
    }
    --self->keepers;
    self->changed.notify();
}

asio::awaitable<verdict> smpp_gateway::pool::serve_one(runtime::retry& again) {
    socket::stream wire{executor};
    wire.expires_after(tune.connect);
    if (auto ok = co_await wire.connect(centre.host, centre.port); !ok) {
        co_return as_verdict(ok.error(), codes::connect);
    }
    if (tls) {
        if (auto ok = co_await wire.secure(tls, centre.server_name.empty() ? centre.host : centre.server_name); !ok) {
            co_return as_verdict(ok.error(), codes::tls);
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
            again.reset();
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

asio::awaitable<void> smpp_gateway::pool::write_all(std::shared_ptr<pool> self, std::shared_ptr<connection> c) {
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

void smpp_gateway::pool::settle_events(const std::shared_ptr<connection>& c) {
    for (auto& event : c->talk.take_events()) {
        if (auto* a = std::get_if<session::answered>(&event)) {
            settle(*c, *a);
        } else {
            take_delivery(c, std::get<session::arrived>(event));
        }
    }
}

void smpp_gateway::pool::settle(connection& c, session::answered& a) {
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

void smpp_gateway::pool::take_delivery(const std::shared_ptr<connection>& c, session::arrived& a) {
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

asio::awaitable<void> smpp_gateway::pool::hand_over(std::shared_ptr<pool> self, std::shared_ptr<connection> c,
                                                    std::uint32_t sequence, command kind,
                                                    delivery::late_report report) {
    const bool safe = co_await self->sink(std::move(report));
    --c->receipts_under_way;
    c->talk.acknowledge(sequence, safe ? status::ok : status::receiver_temporary, kind);
    c->poke.notify();
}

std::shared_ptr<smpp_gateway::connection> smpp_gateway::pool::with_room(unsigned slots) const {
    const auto widest = std::ranges::max_element(connections, {}, [](const auto& c) { return c->talk.free_slots(); });
    return widest != connections.end() && (*widest)->talk.free_slots() >= slots ? *widest : nullptr;
}

} // namespace semel::sms
