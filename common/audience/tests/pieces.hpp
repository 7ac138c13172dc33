#pragma once
// A file in memory as a stream, cut into pieces of any size.

#include <audience/stream.hpp>

#include <memory>
#include <string>

namespace semel::audience::testing {

inline byte_stream pieces(std::string text, std::size_t size = 64 * 1024) {
    auto all = std::make_shared<std::string>(std::move(text));
    return [all, size, at = std::size_t{0}]() mutable -> base::result<std::string_view> {
        const auto piece = std::string_view{*all}.substr(at, size);
        at += piece.size();
        return piece;
    };
}

} // namespace semel::audience::testing
