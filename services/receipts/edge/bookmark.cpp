#include "bookmark.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <system_error>

namespace semel::receipts {

namespace {

/// The number that ends at `end`, or nothing.
template <class Number>
bool parse(const char* from, const char* end, Number& out) {
    const auto read = std::from_chars(from, end, out);
    return read.ec == std::errc{} && read.ptr == end;
}

} // namespace

std::string to_metadata(const bookmark& b) {
    return b.reread ? fmt::format("{}@{}", b.turn, *b.reread) : std::to_string(b.turn);
}

bookmark bookmark_of(const kafka::commit& c) {
    bookmark out;
    if (c.metadata.empty()) {
        return out;
    }
    const auto* begin = c.metadata.data();
    const auto* end = begin + c.metadata.size();
    const auto at = c.metadata.find('@');
    bool sound = parse(begin, at == std::string::npos ? end : begin + at, out.turn);
    if (at != std::string::npos) {
        sound = parse(begin + at + 1, end, out.reread.emplace()) && sound;
    }
    if (!sound) {
        throw std::runtime_error{fmt::format("the offset of {}/{} was not committed by receipts: reset it to the last "
                                             "offset that receipts committed",
                                             c.at.topic, c.at.partition)};
    }
    return out;
}

} // namespace semel::receipts
