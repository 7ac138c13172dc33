#pragma once
// A port to accept connections on.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace semel::socket {

/// `host`: an address, not a name; port 0: any. `share_port`: with other processes of this user that say so too; each
/// gets some of the clients. Throws std::runtime_error that names the address when it is taken.
boost::asio::ip::tcp::acceptor listen(const boost::asio::any_io_executor&, const std::string& host, std::uint16_t port,
                                      bool share_port = false);

} // namespace semel::socket
