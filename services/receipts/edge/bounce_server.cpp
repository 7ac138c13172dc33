#include "bounce_server.hpp"

#include <base/must.hpp>
#include <base/time.hpp>
#include <config/secret.hpp>
#include <runtime/race.hpp>
#include <socket/listen.hpp>
#include <socket/stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <correlation/verp.hpp>
#include <receipts/core/bounce.hpp>
#include <receipts/core/returned.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace semel::receipts {

namespace asio = boost::asio;
using asio::ip::tcp;

lmtp_session::reader_of_paths reader_of(const std::vector<config::gateway>& relays) {
    std::vector<std::pair<std::string, correlation::verp>> known;
    for (const auto& relay : relays) {
        const auto& file = std::get<config::smtp>(relay.link).verp_key_file;
        if (!file.empty()) {
            known.emplace_back(relay.name, correlation::verp{base::must(config::secret_in(file))});
        }
    }
    return [known = std::move(known)](std::string_view path) -> std::optional<return_address> {
        for (const auto& [gateway, made] : known) {
            if (const auto notification = made.decode(path)) {
                return return_address{.gateway = gateway, .notification = *notification};
            }
        }
        return std::nullopt;
    };
}

struct bounce_server::impl {
    impl(const asio::any_io_executor& executor, options o, lmtp_session::reader_of_paths p, keeper k,
         telemetry::metrics& m)
        : with(std::move(o))
        , read_path(std::move(p))
        , keep(std::move(k))
        , metrics(m)
        , acceptor(socket::listen(executor, with.host, with.port, true))
        , connections(executor) {}

    static asio::awaitable<void> converse(std::shared_ptr<impl> self, tcp::socket socket);
    asio::awaitable<bool> kept(const returned_mail&);

    const options with;
    const lmtp_session::reader_of_paths read_path;
    const keeper keep;
    telemetry::metrics& metrics;
    tcp::acceptor acceptor;
    runtime::gate connections;
};

asio::awaitable<bool> bounce_server::impl::kept(const returned_mail& mail) {
    const auto said = read_bounce(mail.text);
    for (const auto& to : mail.to) {
        if (!co_await keep(report_of(said, to, base::now()))) {
            co_return false;
        }
        metrics
            .make_counter("semel_receipts_bounces_total", "Mails that came back to a return path",
                          {{"gateway", to.gateway}, {"what", std::string{to_string(said.what)}}})
            .add();
    }
    co_return true;
}

asio::awaitable<void> bounce_server::impl::converse(std::shared_ptr<impl> self, tcp::socket socket) {
    socket::stream wire{std::move(socket)};
    boost::system::error_code ignored;
    lmtp_session talk{asio::ip::host_name(ignored), self->read_path, self->with.limits};
    std::array<char, std::size_t{16} * 1024> buffer;
    auto out = talk.greeting();
    while (true) {
        wire.expires_after(self->with.patience);
        if (!out.empty()) {
            const auto [failed, sent] = co_await wire.write(out);
            if (failed) {
                co_return;
            }
        }
        if (talk.over()) {
            co_await wire.end_writing(); // a close alone could cut the last words off
            co_return;
        }
        const auto [failed, read] = co_await wire.read_some(buffer);
        if (failed) {
            co_return;
        }
        out = talk.take({buffer.data(), read});
        while (talk.waiting()) {
            wire.never_expires(); // Kafka may be away for a while; the client's patience decides
            const bool kept = co_await self->kept(*talk.waiting());
            out += talk.answer(kept);
        }
    }
}

bounce_server::bounce_server(asio::any_io_executor executor, options with, lmtp_session::reader_of_paths read_path,
                             keeper keep, telemetry::metrics& metrics)
    : impl_(std::make_shared<impl>(executor, std::move(with), std::move(read_path), std::move(keep), metrics)) {}

bounce_server::~bounce_server() {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->connections.cancel_all();
}

std::uint16_t bounce_server::port() const noexcept {
    return impl_->acceptor.local_endpoint().port();
}

asio::awaitable<void> bounce_server::run() {
    const auto self = impl_;
    while (true) {
        auto [error, socket] = co_await self->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (error) { // out of descriptors, most likely: connections must come again when they do
            co_await runtime::sleep(std::chrono::milliseconds{100});
            continue;
        }
        if (self->connections.inside() < self->with.connections) {
            self->connections.spawn("bounce connection", impl::converse(self, std::move(socket)));
            continue;
        }
        constexpr std::string_view busy = "421 4.3.2 too many connections; come again\r\n";
        socket.non_blocking(true, error);
        socket.write_some(asio::buffer(busy), error); // a fresh socket has room for it
    }
}

} // namespace semel::receipts
