#include "smtp_gateway.hpp"

#include <base/codes.hpp>
#include <config/secret.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <runtime/retry.hpp>
#include <socket/stream.hpp>
#include <telemetry/log.hpp>

#include <boost/asio.hpp>
#include <correlation/verp.hpp>
#include <email/core/dkim.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <optional>
#include <vector>

namespace semel::email {

namespace asio = boost::asio;
using delivery::refused;
using delivery::verdict;
using kind = verdict::kind;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

verdict ours(kind what, std::string_view code, std::string text, std::optional<milliseconds> wait = std::nullopt) {
    return {.what = what, .code = std::string{code}, .text = std::move(text), .message_id = {}, .retry_after = wait};
}

/// Exceptions of a detached task are bugs: they leave through io_context::run().
constexpr auto rethrow = [](const std::exception_ptr& e) {
    if (e) {
        std::rethrow_exception(e);
    }
};

} // namespace

struct smtp_gateway::link {
    socket::stream wire;
    dialogue talk;
    clock::time_point idle_since{};
    clock::time_point spoke_at{};
    std::optional<verdict> tls_failure; // says more than the dialogue, which only sees the connection end
    std::array<char, 4096> buffer{};

    link(const asio::any_io_executor& executor, const session_settings& s)
        : wire(executor)
        , talk(s) {}
};

/// Who waits for a session, first come, first served. Whoever could take one past the line would keep those in it
/// waiting until their patience is over, as long as there is enough to send.
struct smtp_gateway::waiter {
    explicit waiter(pool&);
    waiter(const waiter&) = delete;
    ~waiter();
    bool is_first() const noexcept;

    runtime::condition turn;

  private:
    pool& in_;
};

struct smtp_gateway::pool : std::enable_shared_from_this<pool> {
    asio::any_io_executor executor;
    std::string name;
    config::smtp relay;
    tuning tune;
    session_settings session;
    std::optional<correlation::verp> returns;
    std::vector<dkim_signer> signers;
    std::shared_ptr<asio::ssl::context> tls;

    std::vector<std::unique_ptr<link>> idle; // the one that spoke last is used first
    std::size_t open = 0;                    // idle, leased and being opened
    std::size_t opening = 0;
    std::deque<waiter*> line;
    runtime::retry again{{.first = tune.first_back_off, .longest = tune.longest_back_off}};
    clock::time_point next_try{};
    std::optional<verdict> failure; // of the last attempt to open, until one succeeds
    bool closed = false;
    runtime::condition gone; // a session

    pool(const asio::any_io_executor& e, const config::gateway& g, tuning t)
        : executor(e)
        , name(g.name)
        , relay(std::get<config::smtp>(g.link))
        , tune(t)
        , gone(e) {}

    std::string return_path_of(const delivery::outbound& message) const {
        if (!returns) {
            return message.sender;
        }
        const auto sender_domain = std::string_view{message.sender}.substr(message.sender.rfind('@') + 1);
        return returns->return_path(message.notification, relay.return_path_domain.empty()
                                                              ? sender_domain
                                                              : std::string_view{relay.return_path_domain});
    }

    /// Talks until the dialogue needs something that is not of the wire.
    asio::awaitable<void> advance(link& l) {
        while (true) {
            if (!l.talk.output().empty()) {
                l.wire.expires_after(l.talk.patience(tune.timeouts));
                const auto [ec, sent] = co_await l.wire.write(l.talk.output());
                l.talk.written();
                if (ec && l.talk.next() != dialogue::action::read) {
                    l.talk.lost(words(l, ec));
                }
                // While an answer is due, a failed write is not the end: the server may have said why it hung up.
            }
            if (l.talk.next() == dialogue::action::read) {
                l.wire.expires_after(l.talk.patience(tune.timeouts));
                const auto [ec, received] = co_await l.wire.read_some(l.buffer);
                if (ec) {
                    l.talk.lost(words(l, ec));
                } else {
                    l.talk.feed({l.buffer.data(), received});
                }
            } else if (l.talk.next() == dialogue::action::secure) {
                l.wire.expires_after(tune.timeouts.handshake);
                if (auto ok = co_await l.wire.secure(tls, server_name()); ok) {
                    l.talk.secured();
                } else {
                    l.tls_failure = as_verdict(ok.error());
                    l.talk.lost(ok.error().why());
                }
            } else if (l.talk.output().empty()) {
                l.wire.never_expires();
                l.spoke_at = clock::now();
                co_return;
            }
        }
    }

    static std::string words(const link& l, const boost::system::error_code& ec) {
        return l.wire.timed_out() ? "no answer in time" : fmt::format("the connection was lost ({})", ec.message());
    }

    static verdict as_verdict(const base::fault& f) {
        return f.what() == base::fault::kind::broken ? ours(kind::lane_stop, codes::tls, f.why())
                                                     : ours(kind::transient, codes::connect, f.why());
    }

    std::string server_name() const { return relay.server_name.empty() ? relay.host : relay.server_name; }

    void start_opening() {
        ++open;
        ++opening;
        asio::co_spawn(executor, open_one(shared_from_this()), rethrow);
    }

    static asio::awaitable<void> open_one(std::shared_ptr<pool> self) {
        auto l = std::make_unique<link>(self->executor, self->session);
        l->wire.expires_after(self->tune.timeouts.connect);
        std::optional<verdict> why;
        if (auto ok = co_await l->wire.connect(self->relay.host, self->relay.port); !ok) {
            why = as_verdict(ok.error());
        } else if (self->relay.tls == config::smtp::tls_mode::implicit) {
            l->wire.expires_after(self->tune.timeouts.handshake);
            if (auto secured = co_await l->wire.secure(self->tls, self->server_name()); !secured) {
                why = as_verdict(secured.error());
            }
        }
        if (!why) {
            co_await self->advance(*l);
            if (l->talk.next() != dialogue::action::ready) {
                why = l->tls_failure ? l->tls_failure : l->talk.failure();
            }
        }
        --self->opening;
        if (why) {
            self->failed_to_open(*why);
        } else if (self->closed) {
            --self->open;
        } else {
            self->again.reset();
            self->failure.reset();
            self->put_back(std::move(l));
        }
        self->wake_all();
    }

    void wake_first() {
        if (!line.empty()) {
            line.front()->turn.notify();
        }
    }

    void wake_all() {
        for (auto* w : line) {
            w->turn.notify();
        }
    }

    void failed_to_open(const verdict& why) {
        --open;
        failure = why;
        const auto now = clock::now();
        if (now >= next_try) { // of connections that failed together, the first counts
            const auto pause = again.next();
            next_try = now + pause;
            telemetry::log().warn(
                "session.failed",
                {{"gateway", name}, {"code", why.code}, {"text", why.text}, {"next_try_ms", pause.count()}});
        }
    }

    void put_back(std::unique_ptr<link> l) {
        l->idle_since = clock::now();
        idle.push_back(std::move(l));
        wake_first();
    }

    void discard(std::unique_ptr<link> l) {
        l->wire.close();
        --open;
        gone.notify();
        wake_all(); // each may open one in its place
    }
};

smtp_gateway::waiter::waiter(pool& in)
    : turn(in.executor)
    , in_(in) {
    in_.line.push_back(this);
}

smtp_gateway::waiter::~waiter() {
    std::erase(in_.line, this);
    if (!in_.idle.empty()) {
        in_.wake_first();
    }
}

bool smtp_gateway::waiter::is_first() const noexcept {
    return in_.line.front() == this;
}

/// Holds a session for one message. What is not given back in order is hung up: without its dot no message is accepted.
class smtp_gateway::lease {
  public:
    lease(std::shared_ptr<pool> from, std::unique_ptr<link> what)
        : pool_(std::move(from))
        , link_(std::move(what)) {}
    lease(lease&&) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease() {
        if (link_) {
            pool_->discard(std::move(link_));
        }
    }
    link& operator*() const noexcept { return *link_; }
    link* operator->() const noexcept { return link_.get(); }
    smtp_gateway::pool& pool() const noexcept { return *pool_; }
    void give_back() {
        if (link_->talk.next() == dialogue::action::ready && !pool_->closed) {
            pool_->put_back(std::move(link_));
        } else {
            pool_->discard(std::move(link_));
        }
    }

  private:
    std::shared_ptr<smtp_gateway::pool> pool_;
    std::unique_ptr<link> link_;
};

class smtp_gateway::staged_mail final : public delivery::staged {
  public:
    explicit staged_mail(lease session)
        : session_(std::move(session)) {}

    asio::awaitable<verdict> release() override {
        session_->talk.release();
        co_await session_.pool().advance(*session_);
        auto answer = session_->talk.take_verdict();
        session_.give_back();
        co_return answer;
    }

  private:
    lease session_;
};

smtp_gateway::smtp_gateway(std::shared_ptr<pool> p)
    : pool_(std::move(p)) {}

smtp_gateway::~smtp_gateway() {
    pool_->closed = true;
    pool_->idle.clear();
}

base::result<std::unique_ptr<smtp_gateway>> smtp_gateway::make(asio::any_io_executor executor,
                                                               const config::gateway& g) {
    return make(std::move(executor), g, tuning{});
}

base::result<std::unique_ptr<smtp_gateway>> smtp_gateway::make(asio::any_io_executor executor, const config::gateway& g,
                                                               tuning tune) {
    auto p = std::make_shared<pool>(executor, g, tune);
    const auto complaint = [&](const base::fault& f) {
        return base::failed(f.within(fmt::format("gateway {}", g.name)));
    };
    boost::system::error_code ignored;
    p->session.helo = p->relay.helo.empty() ? asio::ip::host_name(ignored) : p->relay.helo;
    p->session.starttls = p->relay.tls == config::smtp::tls_mode::starttls;
    p->session.user = p->relay.user;
    if (!p->relay.user.empty()) {
        auto password = config::secret_in(p->relay.password_file);
        if (!password) {
            return complaint(password.error());
        }
        p->session.password = std::move(*password);
    }
    if (!p->relay.verp_key_file.empty()) {
        auto key = config::secret_in(p->relay.verp_key_file);
        if (!key) {
            return complaint(key.error());
        }
        p->returns.emplace(std::move(*key));
    }
    for (const auto& key : p->relay.dkim) {
        auto signer = dkim_signer::from_file(key.domain, key.selector, key.key_file);
        if (!signer) {
            return complaint(signer.error());
        }
        p->signers.push_back(std::move(*signer));
    }
    if (p->relay.tls != config::smtp::tls_mode::none) {
        auto context = socket::client_context(p->relay.ca);
        if (!context) {
            return complaint(context.error());
        }
        p->tls = std::move(*context);
    }
    return std::unique_ptr<smtp_gateway>{new smtp_gateway{std::move(p)}};
}

const std::string& smtp_gateway::name() const noexcept {
    return pool_->name;
}
bool smtp_gateway::serves(const delivery::outbound& m) const noexcept {
    return m.parts.size() == 1;
}
std::size_t smtp_gateway::window() const noexcept {
    return std::max(1U, pool_->relay.connections);
}

/// Everything but the dot; nothing when the relay had tired of this old session: another one, then.
asio::awaitable<std::optional<delivery::beginning>> smtp_gateway::begin(lease session, const envelope& to,
                                                                        std::string_view text) {
    session->talk.begin(to, text);
    co_await session.pool().advance(*session);
    if (session->talk.next() == dialogue::action::claim) {
        co_return std::make_unique<staged_mail>(std::move(session));
    }
    if (session->talk.stale()) {
        co_return std::nullopt;
    }
    if (session->talk.next() != dialogue::action::verdict) {
        co_return refused{ours(kind::transient, codes::lost, "the session ended before the message was sent")};
    }
    auto answer = session->talk.take_verdict();
    session.give_back();
    co_return refused{std::move(answer)};
}

asio::awaitable<delivery::beginning> smtp_gateway::stage(const delivery::outbound& message, milliseconds patience) {
    const auto p = pool_;
    const auto deadline = clock::now() + patience;
    const auto to = make_envelope(message.address, p->return_path_of(message), base::to_hex(message.notification));
    if (!to) {
        const bool theirs = to.error().what() == base::fault::kind::permanent;
        co_return refused{ours(theirs ? kind::permanent : kind::lane_stop, theirs ? codes::address : codes::return_path,
                               to.error().why())};
    }

    // What is hashed for the record is the message without its signatures.
    const auto text = signed_by(p->signers, message.parts.front());
    if (!text) {
        co_return refused{ours(kind::lane_stop, codes::dkim, text.error().why())};
    }

    std::optional<waiter> here;
    while (true) {
        if (p->closed) {
            co_return refused{ours(kind::transient, codes::closing, "the gateway is closing")};
        }
        if (!p->idle.empty() && (here ? here->is_first() : p->line.empty())) {
            lease session{p, std::move(p->idle.back())};
            p->idle.pop_back();
            here.reset();
            if (auto begun = co_await begin(std::move(session), *to, *text)) {
                co_return std::move(*begun);
            }
            continue;
        }
        const auto now = clock::now();
        // Nobody else's session will become free, and ours cannot be opened yet: say why it could not.
        const bool hopeless = p->open == 0 && p->failure && now < p->next_try &&
                              (p->failure->what == kind::lane_stop || p->next_try > deadline);
        if (hopeless || now >= deadline) {
            if (p->open != 0 || !p->failure) {
                co_return delivery::busy{};
            }
            auto why = *p->failure;
            why.retry_after =
                std::max(why.retry_after.value_or(milliseconds{0}), std::chrono::ceil<milliseconds>(p->next_try - now));
            co_return refused{std::move(why)};
        }
        if (!here) {
            here.emplace(*p);
        }
        auto wake = deadline;
        if (p->open < window() && p->opening < p->line.size()) {
            if (now >= p->next_try) {
                p->start_opening();
            } else {
                wake = std::min(wake, p->next_try);
            }
        }
        co_await here->turn.wait_for(std::chrono::ceil<milliseconds>(wake - now));
    }
}

asio::awaitable<void> smtp_gateway::run() {
    const auto p = pool_;
    while (co_await runtime::sleep(std::min(p->tune.keep_alive / 2, milliseconds{5000}))) {
        const auto now = clock::now();
        std::vector<std::unique_ptr<link>> due;
        for (auto& l : p->idle) {
            if (now - l->spoke_at >= p->tune.keep_alive) {
                due.push_back(std::move(l));
            }
        }
        std::erase(p->idle, nullptr);
        for (auto& l : due) {
            const bool enough = now - l->idle_since >= p->tune.idle_limit;
            enough ? l->talk.quit() : l->talk.keep_alive();
            asio::co_spawn(
                p->executor,
                [](lease session) -> asio::awaitable<void> {
                    const auto idle_since = session->idle_since;
                    co_await session.pool().advance(*session);
                    auto& l = *session;
                    session.give_back();
                    if (!session.pool().idle.empty() && session.pool().idle.back().get() == &l) {
                        l.idle_since = idle_since; // a NOOP does not count as use
                    }
                }(lease{p, std::move(l)}),
                rethrow);
        }
    }
}

asio::awaitable<void> smtp_gateway::close() {
    const auto p = pool_;
    p->closed = true;
    p->wake_all();
    for (auto& l : p->idle) {
        l->talk.quit();
        asio::co_spawn(
            p->executor,
            [](lease session) -> asio::awaitable<void> {
                co_await session.pool().advance(*session);
            }(lease{p, std::move(l)}),
            rethrow);
    }
    p->idle.clear();
    const auto deadline = clock::now() + std::chrono::seconds{3}; // for courtesy, not for correctness
    while (p->open > 0 && clock::now() < deadline) {
        co_await p->gone.wait_for(std::chrono::ceil<milliseconds>(deadline - clock::now()));
    }
}

} // namespace semel::email
