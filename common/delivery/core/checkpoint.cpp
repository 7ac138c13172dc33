#include "checkpoint.hpp"

#include <algorithm>

namespace semel::delivery {
namespace {

constexpr char version = 1;
constexpr std::size_t fixed_bytes = 1 + 8 + 8 + 16 + 8 + 8;

void put_u64(std::string& out, std::uint64_t v) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        out += static_cast<char>(v >> shift & 0xff);
    }
}

std::uint64_t get_u64(std::string_view bytes) {
    std::uint64_t v = 0;
    for (int i = 0; i < 8; ++i) {
        v = v << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    }
    return v;
}

} // namespace

std::string encode(const checkpoint& c) {
    std::string bytes{version};
    put_u64(bytes, c.owner);
    put_u64(bytes, c.transaction);
    bytes += base::as_view(c.marker);
    put_u64(bytes, static_cast<std::uint64_t>(c.range.end - c.range.next));
    put_u64(bytes, static_cast<std::uint64_t>(std::max<kafka::offset>(c.claims_lost_below - c.range.next, 0)));
    bytes += c.range.settled.bytes();
    return base::to_base64(bytes);
}

base::result<checkpoint> decode_checkpoint(kafka::offset next, std::string_view metadata) {
    checkpoint c;
    c.range.next = next;
    c.range.end = next;
    if (metadata.empty()) {
        return c;
    }
    const auto bytes = base::from_base64(metadata);
    if (!bytes || bytes->size() < fixed_bytes || bytes->front() != version) {
        return base::failed(base::fault::kind::malformed,
                            "the offset's metadata is not a checkpoint of this version; was the group's offset set by "
                            "another tool?");
    }
    const std::string_view view{*bytes};
    c.owner = get_u64(view.substr(1));
    c.transaction = get_u64(view.substr(9));
    std::ranges::copy(view.substr(17, 16), c.marker.begin());
    const auto span = get_u64(view.substr(33));
    const auto lost = get_u64(view.substr(41));
    const auto settled = view.substr(fixed_bytes);
    if (span > static_cast<std::uint64_t>(window::max_span) || lost > span || settled.size() > span / 8 + 1) {
        return base::failed(base::fault::kind::malformed, "the checkpoint's range is longer than any that is written");
    }
    c.range.end = next + static_cast<kafka::offset>(span);
    c.claims_lost_below = lost == 0 ? 0 : next + static_cast<kafka::offset>(lost);
    c.range.settled = bitmap{std::string{settled}};
    return c;
}

} // namespace semel::delivery
