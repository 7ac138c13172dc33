#include "message_io.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <fmt/format.h>

namespace semel::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;

namespace {

constexpr std::size_t most_bytes_at_once = std::size_t{64} * 1024;

template <bool is_request>
asio::awaitable<beast::error_code> read_some_of(socket::stream& from, beast::flat_buffer& buffer,
                                                wire::basic_parser<is_request>& parser) {
    beast::error_code error;
    for (;;) {
        if (buffer.size() > 0) {
            buffer.consume(parser.put(buffer.data(), error));
            if (error != wire::error::need_more) {
                co_return error;
            }
        }
        const auto room = std::min(most_bytes_at_once, buffer.max_size() - buffer.size());
        if (room == 0) {
            co_return wire::error::buffer_overflow;
        }
        const auto space = buffer.prepare(room);
        const auto [failed, n] = co_await from.read_some({static_cast<char*>(space.data()), space.size()});
        if (failed == asio::error::eof) {
            if (!parser.got_some()) {
                co_return wire::error::end_of_stream;
            }
            parser.put_eof(error);
            co_return error;
        }
        if (failed) {
            co_return failed;
        }
        buffer.commit(n);
    }
}

template <class Serializer>
std::string text_by(Serializer serializer) {
    serializer.split(true); // its body is not part of it
    std::string text;
    beast::error_code error;
    while (!error && !serializer.is_header_done()) {
        serializer.next(error, [&](beast::error_code&, const auto& buffers) {
            for (const auto part : beast::buffers_range_ref(buffers)) {
                text.append(static_cast<const char*>(part.data()), part.size());
            }
            serializer.consume(beast::buffer_bytes(buffers));
        });
    }
    return text;
}

} // namespace

asio::awaitable<beast::error_code> read_some(socket::stream& from, beast::flat_buffer& buffer,
                                             wire::basic_parser<false>& parser) {
    co_return co_await read_some_of(from, buffer, parser);
}
asio::awaitable<beast::error_code> read_some(socket::stream& from, beast::flat_buffer& buffer,
                                             wire::basic_parser<true>& parser) {
    co_return co_await read_some_of(from, buffer, parser);
}

std::string text_of(wire::request<wire::empty_body>& head) {
    return text_by(wire::request_serializer<wire::empty_body>{head});
}
std::string text_of(wire::response<wire::empty_body>& head) {
    return text_by(wire::response_serializer<wire::empty_body>{head});
}

std::string chunk_of(std::string_view content) {
    return content.empty() ? "0\r\n\r\n" : fmt::format("{:x}\r\n{}\r\n", content.size(), content);
}

} // namespace semel::http
