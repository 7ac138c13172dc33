// An audience file as anybody may upload it: plain or compressed, CSV or NDJSON (by its first byte here). Read twice,
// in pieces of other sizes, it must give the same rows: intake relies on it.

#include <audience/decoder.hpp>
#include <audience/import.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace semel;

struct reading {
    std::string rows; // everything that came of it
    bool whole = false;
};

reading read(std::string_view bytes, std::size_t piece, audience::format format) {
    audience::decoder decoder{[bytes, piece]() mutable -> base::result<std::string_view> {
        const auto next = bytes.substr(0, piece);
        bytes.remove_prefix(next.size());
        return next;
    }};
    audience::importer importer{[&decoder] { return decoder.next(); },
                                format,
                                {.default_region = "KR",
                                 .segment_names = {"door_code"},
                                 .slot_names = {"order"},
                                 .locale = [](std::string_view wanted) { return std::string{wanted}; }}};
    reading out;
    v1::Recipient recipient;
    for (;;) {
        const auto step = importer.next(recipient);
        if (!step) {
            return out;
        }
        for (const auto& r : importer.rejects()) {
            out.rows += audience::to_csv(r);
        }
        if (*step == audience::importer::step::end) {
            break;
        }
        if (*step == audience::importer::step::recipient) {
            if (recipient.recipient_id().empty()) {
                std::abort();
            }
            out.rows += recipient.SerializeAsString();
        }
    }
    const auto& t = importer.totals();
    if (t.rejected > t.rows || t.not_utf8 > t.rejected) {
        std::abort();
    }
    out.whole = true;
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto format = data[0] % 2 == 0 ? audience::format::csv : audience::format::ndjson;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto at_once = read(bytes, bytes.size() + 1, format);
    const auto in_pieces = read(bytes, 1 + data[0] / 2, format);
    if (at_once.whole != in_pieces.whole || (at_once.whole && at_once.rows != in_pieces.rows)) {
        std::abort();
    }
    return 0;
}
