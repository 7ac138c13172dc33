#include "client.hpp"

#include "closing.hpp"
#include "connection.hpp"
#include "info.hpp"
#include "refusal.hpp"

#include <config/secret.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <runtime/retry.hpp>
#include <socket/stream.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace semel::redis {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr runtime::retry::pace pace{.first = milliseconds{20},
                                    .longest = milliseconds{1'000}}; // a supervisor restarts Redis within a second
constexpr milliseconds loading_pause{50};
constexpr milliseconds looks_every{1'000}; // whether the server is still the same

} // namespace

std::string_view reply::error_code() const noexcept {
    return is_error() ? std::string_view{text}.substr(0, text.find(' ')) : std::string_view{};
}

struct client::impl : std::enable_shared_from_this<impl> {
    impl(asio::any_io_executor e, client_options o)
        : ex(std::move(e))
        , options(std::move(o))
        , where(fmt::format("Redis at {}:{}", options.host, options.port))
        , changed(ex) {}

    /// Connects, and connects again, until the client is destroyed.
    static asio::awaitable<void> keep_connected(std::shared_ptr<impl> self);
    asio::awaitable<base::result<void>> establish();
    asio::awaitable<base::result<void>> sign_in(connection&);
    asio::awaitable<base::result<void>> greet(connection&);
    asio::awaitable<base::result<void>> read_closings(connection&);
    asio::awaitable<base::result<void>> try_to_write(connection&);
    asio::awaitable<bool> unchanged();
    void drop(std::string why);
    asio::awaitable<base::result<reply>> send(std::span<const std::string> args);

    asio::any_io_executor ex;
    client_options options;
    std::string where;
    runtime::condition changed;
    std::shared_ptr<connection> link;
    std::uint64_t generation = 0;
    server_identity identity;
    std::vector<closing> closings; // the newest first
    std::string trouble = "not connected yet";
    bool up = false;
    bool broken = false;  // the trouble will not pass by itself
    bool refused = false; // it answered, and would not serve us
    bool stopping = false;
};

asio::awaitable<void> client::impl::keep_connected(std::shared_ptr<impl> self) {
    runtime::retry again{pace};
    std::string told;
    while (!self->stopping) {
        if (auto up = co_await self->establish()) {
            self->up = true;
            ++self->generation;
            self->trouble.clear();
            self->broken = false;
            told.clear();
            again.reset();
            telemetry::log().info(
                "redis.connected",
                {{"server", self->where}, {"run_id", self->identity.run_id}, {"generation", self->generation}});
            self->changed.notify();
            const auto here = self->link;
            while (!co_await here->closed_within(looks_every)) {
                std::ignore = co_await self->unchanged();
            }
            self->up = false;
            self->trouble = self->link->loss();
        } else {
            self->trouble = up.error().why();
            self->broken = up.error().what() == base::fault::kind::broken;
        }
        if (self->link) {
            self->link->close(base::fault::kind::unreachable, self->trouble);
        }
        if (self->stopping) {
            break;
        }
        if (told != self->trouble) { // once for each reason, not for each attempt
            told = self->trouble;
            telemetry::log().warn("redis.unreachable", {{"server", self->where}, {"why", told}});
        }
        co_await self->changed.wait_for(again.next()); // only the destructor notifies here
    }
}

asio::awaitable<base::result<void>> client::impl::establish() {
    boost::system::error_code not_an_ip;
    std::vector<std::string> addresses{options.host};
    asio::ip::make_address(options.host, not_an_ip);
    if (not_an_ip) {
        asio::ip::tcp::resolver resolver{ex};
        auto [error, found] = co_await resolver.async_resolve(options.host, std::to_string(options.port),
                                                              asio::as_tuple(asio::use_awaitable));
        if (error) {
            co_return base::failed(base::fault::kind::unreachable,
                                   fmt::format("the name does not resolve: {}", error.message()));
        }
        addresses.clear();
        for (const auto& entry : found) {
            addresses.push_back(entry.endpoint().address().to_string());
        }
    }
    std::shared_ptr<asio::ssl::context> tls;
    if (options.tls) { // anew for each connection: files are replaced while we run
        auto made = socket::client_context(options.ca, options.certificate, options.key);
        if (!made) {
            co_return base::failed(made.error());
        }
        tls = *std::move(made);
    }
    base::fault last{base::fault::kind::unreachable, "the name has no address"};
    for (auto& address : addresses) {
        if (stopping) {
            break;
        }
        link = std::make_shared<connection>(ex, options.reply_timeout);
        auto result = co_await link->open(std::move(address), options.port, tls,
                                          options.server_name.empty() ? options.host : options.server_name);
        if (result) {
            result = co_await greet(*link);
        }
        if (result) {
            co_return result;
        }
        link->close(base::fault::kind::unreachable, result.error().why());
        last = std::move(result.error());
    }
    co_return base::failed(std::move(last));
}

asio::awaitable<base::result<void>> client::impl::sign_in(connection& to) {
    auto password = options.password_file.empty() ? base::result<std::string>{options.password}
                                                  : config::secret_in(options.password_file);
    if (!password) {
        co_return base::failed(password.error());
    }
    if (password->empty()) {
        co_return base::result<void>{};
    }
    std::vector<std::string> auth{"AUTH"};
    if (!options.user.empty()) {
        auth.push_back(options.user);
    }
    auth.push_back(*std::move(password));
    const auto answer = co_await to.exchange(auth);
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (answer->is_error()) {
        co_return base::failed(
            base::fault::kind::broken,
            options.user.empty()
                ? "the server refuses the password (AUTH): compare redis.password_file with its requirepass"
                : fmt::format("the server refuses the user {} or the password (AUTH): compare redis.user and "
                              "redis.password_file with its ACL",
                              options.user));
    }
    co_return base::result<void>{};
}

asio::awaitable<base::result<void>> client::impl::greet(connection& to) {
    if (auto known = co_await sign_in(to); !known) {
        co_return known;
    }
    const std::vector<std::string> info{"INFO"};
    for (;;) {
        const auto answer = co_await to.exchange(info);
        if (!answer) {
            co_return base::failed(answer.error());
        }
        if (answer->is_error()) {
            co_return base::failed(base::fault::kind::broken,
                                   refusal(answer->text).value_or("INFO was refused: " + answer->text));
        }
        if (info_value(answer->text, "loading") != "1") {
            auto who = identity_in(answer->text);
            if (!who) {
                co_return base::failed(who.error());
            }
            identity = *std::move(who);
            if (info_value(answer->text, "role") != "master") {
                co_return base::failed(base::fault::kind::broken, *refusal("READONLY"));
            }
            if (auto writes = co_await try_to_write(to); !writes) {
                co_return writes;
            }
            co_return co_await read_closings(to);
        }
        trouble = "the server is loading its data";
        co_await runtime::sleep(loading_pause);
    }
}

asio::awaitable<base::result<void>> client::impl::read_closings(connection& to) {
    const std::vector<std::string> list{"LRANGE", std::string{closings_key}, "0", std::to_string(closings_kept - 1)};
    const auto answer = co_await to.exchange(list);
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (answer->is_error()) {
        co_return base::failed(base::fault::kind::broken,
                               fmt::format("{} cannot be read ({}): it is a list, and this user must be allowed to "
                                           "read it",
                                           closings_key, answer->text));
    }
    closings.clear();
    for (const auto& note : answer->array) {
        closings.push_back(decode_closing(note.text));
    }
    identity.closing = closings.empty() ? std::string{} : closings.front().name;
    co_return base::result<void>{};
}

/// After a refusal: a server whose memory or disk is full still greets, and would refuse the next write.
asio::awaitable<base::result<void>> client::impl::try_to_write(connection& to) {
    if (!refused) {
        co_return base::result<void>{};
    }
    const std::vector<std::string> probe{"SET", "semel:probe", "1", "PX", "60000"};
    const auto answer = co_await to.exchange(probe);
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (const auto why = answer->is_error() ? refusal(answer->text) : std::nullopt) {
        co_return base::failed(base::fault::kind::broken, *why);
    }
    refused = false;
    co_return base::result<void>{};
}

asio::awaitable<bool> client::impl::unchanged() {
    const auto asked_on = generation;
    const std::vector<std::string> info{"INFO", "replication"};
    const auto answer = co_await send(info);
    if (!answer || answer->is_error() || asked_on != generation || !up) {
        co_return false;
    }
    if (info_value(answer->text, "role") != "master" ||
        info_value(answer->text, "master_replid") != identity.master_replid) {
        drop("the server was demoted, or has other data than before");
        co_return false;
    }
    co_return true;
}

/// What is out is answered `unreachable`, and the server greeted anew.
void client::impl::drop(std::string why) {
    trouble = why;
    link->close(base::fault::kind::unreachable, std::move(why));
}

asio::awaitable<base::result<reply>> client::impl::send(std::span<const std::string> args) {
    if (!up || !link->is_open()) {
        co_return base::failed(base::fault::kind::unreachable, fmt::format("{}: {}", where, trouble));
    }
    const auto asked = link;
    auto answer = co_await asked->exchange(args);
    if (!answer) {
        co_return base::failed(
            answer.error().within(where + ": lost while a command was out, which may have been executed"));
    }
    if (auto why = answer->is_error() ? refusal(answer->text) : std::nullopt; why && asked == link) {
        refused = true;
        drop(*std::move(why));
    }
    co_return answer;
}

client::client(asio::any_io_executor ex, client_options options)
    : impl_(std::make_shared<impl>(std::move(ex), std::move(options))) {
    asio::co_spawn(impl_->ex, impl::keep_connected(impl_), [](std::exception_ptr failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
}

client::~client() {
    impl_->stopping = true;
    impl_->up = false;
    impl_->trouble = "the client is being destroyed";
    if (impl_->link) {
        impl_->link->close(base::fault::kind::stopping, impl_->trouble);
    }
    impl_->changed.notify();
}

asio::awaitable<void> client::connected() {
    auto self = impl_;
    while (!self->up) {
        if (self->stopping) {
            throw boost::system::system_error{asio::error::operation_aborted};
        }
        co_await self->changed.wait();
    }
}

std::uint64_t client::generation() const noexcept {
    return impl_->generation;
}
const server_identity& client::identity() const noexcept {
    return impl_->identity;
}
bool client::holds_all_of(const server_identity& written_under) const noexcept {
    return vouch_for(impl_->closings, written_under);
}
const std::string& client::trouble() const noexcept {
    return impl_->trouble;
}

bool client::needs_an_operator() const noexcept {
    return impl_->broken;
}

asio::awaitable<bool> client::unchanged() {
    const auto self = impl_;
    co_return co_await self->unchanged();
}

asio::awaitable<base::result<reply>> client::command(std::vector<std::string> args) {
    const auto self = impl_;
    co_return co_await self->send(args);
}

asio::awaitable<base::result<reply>> client::eval(const script& what, std::vector<std::string> keys,
                                                  std::vector<std::string> args) {
    const auto self = impl_;
    std::vector<std::string> words;
    words.reserve(3 + keys.size() + args.size());
    words.insert(words.end(), {"EVALSHA", what.sha1(), std::to_string(keys.size())});
    std::ranges::move(keys, std::back_inserter(words));
    std::ranges::move(args, std::back_inserter(words));
    const auto asked_on = self->generation;
    auto answer = co_await self->send(words);
    if (!answer || answer->error_code() != "NOSCRIPT") {
        co_return answer;
    }
    const std::vector<std::string> load{"SCRIPT", "LOAD", what.source()};
    auto loaded = co_await self->send(load);
    if (!loaded || loaded->is_error()) {
        co_return loaded; // a script that does not compile says so here
    }
    if (self->generation != asked_on) { // the caller compared the identity of the connection before
        co_return base::failed(base::fault::kind::unreachable,
                               fmt::format("{}: another connection since the script was loaded", self->where));
    }
    co_return co_await self->send(words);
}

bool client::managed() const noexcept {
    return impl_->options.managed;
}

asio::awaitable<base::result<void>> check_durability(client& redis) {
    std::vector<std::string> info{"INFO"};
    const auto answer = co_await redis.command(std::move(info));
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (answer->is_error()) {
        co_return base::failed(
            base::fault::kind::broken,
            fmt::format("Redis does not say what it keeps ({}): allow INFO to this user", answer->text));
    }
    co_return keeps_what_it_has(answer->text, redis.managed());
}

} // namespace semel::redis
