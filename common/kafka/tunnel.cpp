#include "tunnel.hpp"

#include "raw_connection.hpp"

#include <kafka/logging.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>
#include <utility>
#include <vector>

namespace semel::kafka {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr auto sign_in_patience = std::chrono::seconds{10};
constexpr std::size_t chunk = std::size_t{64} * 1024;

/// The thread that carries, and the ends of socket pairs that wait for their broker.
struct carriers {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
    std::mutex guard;
    std::map<int, int> far_ends; // by librdkafka's
    std::thread thread{[this] { io.run(); }};
};

carriers& the_carriers() {
    static auto& instance = *new carriers; // for ever: a client may still talk while the process exits
    return instance;
}

asio::awaitable<void> outward(local::socket& from, raw_connection& to) {
    std::vector<char> bytes(chunk);
    for (;;) {
        const auto [ended, n] = co_await from.async_read_some(asio::buffer(bytes), quietly);
        if (ended || !co_await to.write({bytes.data(), n})) {
            co_return;
        }
    }
}

asio::awaitable<void> inward(raw_connection& from, local::socket& to) {
    std::vector<char> bytes(chunk);
    for (;;) {
        const auto n = co_await from.read_some(bytes);
        if (!n) {
            co_return;
        }
        const auto [lost, sent] = co_await asio::async_write(to, asio::buffer(bytes.data(), *n), quietly);
        if (lost) {
            co_return;
        }
    }
}

asio::awaitable<void> carry(shared_context& context, int end, std::string host, std::uint16_t port) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    local::socket near{executor, local{}, end}; // closed at the end: librdkafka sees a broker that hung up
    raw_connection far{executor};
    far.expires_after(sign_in_patience);
    if (const auto opened = co_await far.open(context.at, host, port); !opened) {
        const auto why = opened.error().within(fmt::format("Kafka at {}:{}", host, port));
        {
            const std::lock_guard lock{context.guard};
            context.failure = why;
        }
        log_line(3, why.why());
        co_return;
    }
    far.never_expires();
    {
        const std::lock_guard lock{context.guard};
        context.failure.reset();
    }
    co_await (outward(near, far) || inward(far, near));
}

std::string text_of(const sockaddr* address) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    const socklen_t size = address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    ::getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
    return fmt::format("{}:{}", host.data(), port.data());
}

// librdkafka's callbacks, on its threads.

int make_pair(int, int, int, void*) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return -1;
    }
    auto& all = the_carriers();
    const std::lock_guard lock{all.guard};
    const auto [pair, fresh] = all.far_ends.try_emplace(ends[0], ends[1]);
    if (!fresh) { // of a socket that was closed before it was connected: its number came again
        ::close(std::exchange(pair->second, ends[1]));
    }
    return ends[0];
}

/// The certificate is checked against the name, which only the look-up knows.
int look_up(const char* node, const char* service, const addrinfo* hints, addrinfo** found, void* opaque) {
    if (node == nullptr) { // its way to say: give it back
        ::freeaddrinfo(*found);
        return 0;
    }
    const int failed = ::getaddrinfo(node, service, hints, found);
    if (failed == 0) {
        auto& context = *static_cast<shared_context*>(opaque);
        const std::lock_guard lock{context.guard};
        for (const auto* one = *found; one != nullptr; one = one->ai_next) {
            context.names[text_of(one->ai_addr)] = node;
        }
    }
    return failed;
}

int begin_carrying(int near_end, const sockaddr* address, int, const char*, void* opaque) {
    auto& context = *static_cast<shared_context*>(opaque);
    auto& all = the_carriers();
    const auto place = text_of(address);
    const auto colon = place.rfind(':');
    std::string host = place.substr(0, colon);
    const auto port = static_cast<std::uint16_t>(std::stoul(place.substr(colon + 1)));
    {
        const std::lock_guard lock{context.guard};
        if (const auto named = context.names.find(place); named != context.names.end()) {
            host = named->second;
        }
    }
    const std::lock_guard lock{all.guard};
    const auto pair = all.far_ends.find(near_end);
    if (pair == all.far_ends.end()) {
        return ENOTCONN;
    }
    const int end = pair->second;
    all.far_ends.erase(pair);
    asio::co_spawn(all.io, carry(context, end, std::move(host), port), asio::detached);
    return 0;
}

bool equal(const cluster& a, const cluster& b) {
    return a.servers == b.servers && a.tls == b.tls && a.sasl == b.sasl && a.user == b.user &&
           a.password == b.password && a.ca == b.ca && a.certificate == b.certificate && a.key == b.key;
}

} // namespace

shared_context& context_of(const cluster& at) {
    static std::mutex guard;
    static auto& all = *new std::list<shared_context>; // for ever, as the_carriers()
    const std::lock_guard lock{guard};
    const auto known = std::ranges::find_if(all, [&](const auto& one) { return equal(one.at, at); });
    return known == all.end() ? all.emplace_back(at) : *known;
}

bool needs_tunnel(const cluster& at) noexcept {
    const bool scram = at.sasl == cluster::mechanism::scram_sha_512 || at.sasl == cluster::mechanism::scram_sha_256;
    return scram && !librdkafka_scrams_with_kafka_4();
}

void connect_through_tunnels(rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_socket_cb(conf, make_pair);
    rd_kafka_conf_set_resolve_cb(conf, look_up);
    rd_kafka_conf_set_connect_cb(conf, begin_carrying);
}

} // namespace semel::kafka
