#include "listen.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace semel::socket {

namespace asio = boost::asio;
using asio::ip::tcp;

tcp::acceptor listen(const asio::any_io_executor& executor, const std::string& host, std::uint16_t port,
                     bool share_port) {
    tcp::acceptor acceptor{executor};
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    const tcp::endpoint here{address, port};
    if (!error) {
        acceptor.open(here.protocol(), error);
    }
    if (!error) {
        acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    }
    if (!error && share_port) {
        const int yes = 1;
        if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0) {
            error.assign(errno, boost::system::system_category());
        }
    }
    if (!error) {
        acceptor.bind(here, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        throw std::runtime_error{
            fmt::format("cannot listen on {}:{}: {}. Is another process using the port? Choose another "
                        "in the configuration",
                        host, port, error.message())};
    }
    return acceptor;
}

} // namespace semel::socket
