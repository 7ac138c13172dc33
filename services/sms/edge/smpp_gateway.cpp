#include "smpp_gateway.hpp"

#include <base/codes.hpp>
#include <config/secret.hpp>
#include <runtime/race.hpp>
#include <socket/stream.hpp>

#include <boost/asio.hpp>
#include <correlation/message_id.hpp>
#include <fmt/format.h>
#include <sms/core/addressing.hpp>
#include <sms/core/classify.hpp>
#include <sms/core/session.hpp>
#include <sms/edge/smpp_pool.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <numeric>

namespace semel::sms {

using delivery::refused;

class smpp_gateway::staged_sms final : public delivery::staged {
  public:
    staged_sms(std::shared_ptr<pool> p, std::shared_ptr<connection> c, std::vector<message> parts)
        : pool_(std::move(p))
        , connection_(std::move(c))
        , parts_(std::move(parts))
        , left_(parts_.size())
        , flight_(std::make_shared<flight>(pool_->executor, parts_.size()))
        , reserved_(parts_.size()) {
        std::iota(left_.begin(), left_.end(), std::size_t{0});
    }
    staged_sms(const staged_sms&) = delete;
    staged_sms& operator=(const staged_sms&) = delete;
    ~staged_sms() override { give_back(); }

    asio::awaitable<verdict> release() override {
        if (!is_bound()) {
            if (tries_ == 0) {
                co_return ours(kind::transient, codes::lost, "the session ended before the PDU was written");
            }
            reserved_ = 0;
            co_return combine(flight_->parts);
        }
        for (const auto part : left_) {
            connection_->submit(flight_, part, parts_[part]);
            --reserved_;
        }
        ++tries_;
        while (flight_->unanswered > 0) {
            co_await flight_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        co_return answered();
    }

  private:
    std::shared_ptr<pool> pool_;
    std::shared_ptr<connection> connection_;
    std::vector<message> parts_;
    std::vector<std::size_t> left_; // of parts_: to be submitted
    std::shared_ptr<flight> flight_;
    std::size_t reserved_; // slots of the session's window held and not used
    unsigned tries_ = 0;

    bool is_bound() const { return connection_->talk.where() == session::phase::bound; }

    verdict answered() {
        const auto fared = [this](kind k) {
            return static_cast<unsigned>(
                std::ranges::count_if(left_, [&](std::size_t i) { return flight_->parts[i].what == k; }));
        };
        auto v = combine(flight_->parts);
        v.parts = {.accepted = fared(kind::accepted), .refused = fared(kind::throttled)};
        std::erase_if(left_, [this](std::size_t i) { return !again_later(flight_->parts[i].what); });
        reserved_ = is_bound() && parts_.size() > 1 ? left_.size() : 0; // see pool::settle
        const bool fragment =
            !left_.empty() && left_.size() < parts_.size() &&
            std::ranges::all_of(
                flight_->parts, [](const verdict& p) { return p.what == kind::accepted || again_later(p.what); });
        if (fragment && is_bound() && tries_ < pool_->tune.part_tries) {
            v.rest_after = pool_->tune.part_pause * (1U << (tries_ - 1));
        }
        return v;
    }

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
        auto context = socket::client_context(p->centre.ca);
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

namespace {

std::vector<sms::message> parts_of(const delivery::outbound& message, const smpp_address& from,
                                   const smpp_address& to) {
    const auto reference = correlation::user_message_reference(message.notification);
    std::vector<sms::message> parts(message.parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& m = parts[i];
        m.source_numbering = from.plan;
        m.source = from.digits;
        m.destination_numbering = to.plan;
        m.destination = to.digits;
        m.esm_class = parts.size() > 1 ? 0x40 : 0x00; // parts begin with a user data header
        m.validity = validity_period(message.give_up);
        m.registered_delivery = 1;
        m.data_coding = message.data_coding;
        m.short_message = message.parts[i];
        m.optional = {
            {tag::user_message_reference, {static_cast<char>(reference >> 8U), static_cast<char>(reference & 0xFFU)}}};
    }
    return parts;
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

} // namespace

asio::awaitable<delivery::beginning> smpp_gateway::stage(const delivery::outbound& message, milliseconds patience) {
    const auto p = pool_;
    p->start();
    const auto deadline = clock::now() + patience;
    const auto to = destination(message.address);
    if (!to) {
        co_return refused{as_verdict(to.error(), codes::address)};
    }
    const auto from = source(message.sender.empty() ? p->centre.source_address : message.sender);
    if (!from) {
        co_return refused{as_verdict(from.error(), codes::sender)};
    }
    const auto slots = static_cast<unsigned>(message.parts.size());
    if (slots > p->session_settings.window) {
        co_return refused{
            ours(kind::ambiguous, codes::window,
                 fmt::format("a message of {} parts does not fit the gateway's window of {}; raise window", slots,
                             p->session_settings.window))};
    }
    if (std::ranges::any_of(message.parts, [](const auto& part) { return part.size() > 254; })) {
        co_return refused{ours(kind::ambiguous, codes::content,
                               "an SMS part is over 254 bytes; this is a bug in the compiled notice")};
    }
    auto parts = parts_of(message, *from, *to);
    const place_in_line place{p->queue, p->next_ticket++};
    while (true) {
        if (p->closed) {
            co_return refused{ours(kind::transient, codes::closing, "the gateway is closing")};
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
