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

fate fate_of(const positions& before, const std::vector<kafka::commit>& wanted, const std::vector<kafka::commit>& now) {
    std::map<kafka::topic_partition, position> found;
    for (const auto& c : now) {
        found[c.at] = {c.next, c.metadata};
    }
    bool moved = false;
    bool stayed = false;
    for (const auto& c : wanted) {
        const position after{c.next, c.metadata};
        const auto was = before.find(c.at);
        const auto is = found.find(c.at);
        if (was == before.end() || is == found.end() || (is->second != after && is->second != was->second)) {
            return fate::overtaken;
        }
        if (was->second != after) {
            (is->second == after ? moved : stayed) = true;
        }
    }
    if (moved && stayed) {
        return fate::overtaken; // a transaction is whole
    }
    return moved ? fate::committed : fate::not_committed;
}

} // namespace semel::receipts
