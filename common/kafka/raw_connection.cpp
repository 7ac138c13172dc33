#include "raw_connection.hpp"

#include "fields.hpp"
#include "group_answers.hpp"
#include "scram.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <openssl/rand.h>

#include <span>
#include <stdexcept>

namespace semel::kafka {

namespace asio = boost::asio;
using base::failed;
using base::fault;

namespace {

// https://kafka.apache.org/protocol
constexpr std::int16_t sasl_handshake = 17;
constexpr std::int16_t sasl_authenticate = 36;

std::string fresh_nonce() {
    unsigned char bytes[18];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        throw std::runtime_error{"OpenSSL gives no random bytes"};
    }
    return base::to_base64({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

} // namespace

raw_connection::raw_connection(asio::any_io_executor executor)
    : wire_(std::move(executor)) {}

asio::awaitable<base::result<void>> raw_connection::open(const cluster& at, std::string host, std::uint16_t port) {
    if (auto connected = co_await wire_.connect(host, port); !connected) {
        co_return connected;
    }
    if (at.tls) {
        auto context = socket::client_context(at.ca, at.certificate, at.key);
        if (!context) {
            co_return failed(context.error());
        }
        if (auto secured = co_await wire_.secure(*std::move(context), host); !secured) {
            co_return secured;
        }
    }
    if (at.sasl == cluster::mechanism::none) {
        co_return base::result<void>{};
    }
    co_return co_await sign_in(at);
}

asio::awaitable<base::result<void>> raw_connection::sign_in(const cluster& at) {
    field_writer wish;
    wish.text(at.mechanism_name());
    const auto offered = co_await ask(sasl_handshake, 1, wish.written());
    if (!offered) {
        co_return failed(offered.error());
    }
    if (auto agreed = mechanism_agreed_in(*offered, at.mechanism_name()); !agreed) {
        co_return agreed;
    }
    if (at.sasl == cluster::mechanism::plain) {
        using namespace std::string_literals;
        const auto answered = co_await authenticate("\0"s + at.user + "\0"s + at.password, at);
        co_return answered ? base::result<void>{} : failed(answered.error());
    }
    const auto hash = at.sasl == cluster::mechanism::scram_sha_512 ? scram::hash::sha_512 : scram::hash::sha_256;
    scram exchange{hash, at.user, at.password, fresh_nonce()};
    const auto challenge = co_await authenticate(exchange.first(), at);
    if (!challenge) {
        co_return failed(challenge.error());
    }
    auto proof = exchange.answer(*challenge);
    if (!proof) {
        co_return failed(proof.error());
    }
    const auto verdict = co_await authenticate(*std::move(proof), at);
    co_return verdict ? exchange.check(*verdict) : failed(verdict.error());
}

asio::awaitable<base::result<std::string>> raw_connection::authenticate(std::string bytes, const cluster& at) {
    field_writer token;
    token.bytes(bytes);
    const auto answered = co_await ask(sasl_authenticate, 0, token.written());
    if (!answered) {
        co_return failed(answered.error());
    }
    co_return sasl_token_in(*answered, at.user);
}

asio::awaitable<base::result<std::string>> raw_connection::ask(std::int16_t what, std::int16_t version,
                                                               std::string body) {
    field_writer head;
    head.number(what).number(version).number(std::int32_t{1}).text("semel");
    field_writer size;
    size.number(static_cast<std::int32_t>(head.written().size() + body.size()));
    const auto request = size.written() + head.written() + body;
    if (const auto [lost, sent] = co_await wire_.write(request); lost) {
        co_return failed(fault::kind::unreachable, fmt::format("the connection was lost: {}", lost.message()));
    }
    const auto length = co_await read(4);
    if (!length) {
        co_return failed(length.error());
    }
    const auto n = length_of_answer(*length);
    if (!n) {
        co_return failed(n.error());
    }
    auto answer = co_await read(*n);
    if (answer) {
        answer->erase(0, 4); // the correlation id
    }
    co_return answer;
}

asio::awaitable<base::result<std::string>> raw_connection::read(std::size_t n) {
    std::string out(n, '\0');
    for (std::size_t have = 0; have < n;) {
        const auto got = co_await read_some(std::span{out}.subspan(have));
        if (!got) {
            co_return failed(got.error());
        }
        have += *got;
    }
    co_return out;
}

asio::awaitable<base::result<std::size_t>> raw_connection::read_some(std::span<char> into) {
    const auto [lost, got] = co_await wire_.read_some(into);
    if (lost) {
        co_return failed(fault::kind::unreachable,
                         wire_.timed_out() ? "no answer in time"
                                           : fmt::format("the broker closed the connection: {}", lost.message()));
    }
    co_return got;
}

asio::awaitable<bool> raw_connection::write(std::string_view bytes) {
    const auto [lost, sent] = co_await wire_.write(bytes);
    co_return !lost;
}

} // namespace semel::kafka
