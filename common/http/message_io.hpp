#pragma once
// Messages over socket::stream, by Beast's parsers and serializers. Beast's own composed operations would be compiled
// anew for each kind of stream and of body: minutes of a build. Internal to this module.

#include <socket/stream.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <string>
#include <string_view>

namespace semel::http {

/// Until the parser has taken something: first of what the buffer holds, else of what comes. As async_read_some() of
/// Beast: end_of_stream when the peer closed before a message began, partial_message when it did in the middle.
boost::asio::awaitable<boost::beast::error_code> read_some(socket::stream&, boost::beast::flat_buffer&,
                                                           boost::beast::http::basic_parser<false>&);
boost::asio::awaitable<boost::beast::error_code> read_some(socket::stream&, boost::beast::flat_buffer&,
                                                           boost::beast::http::basic_parser<true>&);

/// The start line and the fields, with the empty line behind them.
std::string text_of(boost::beast::http::request<boost::beast::http::empty_body>&);
std::string text_of(boost::beast::http::response<boost::beast::http::empty_body>&);

/// One chunk of a body; of nothing, its end. RFC 9112, section 7.1.
std::string chunk_of(std::string_view content);

} // namespace semel::http
