// Whatever a carrier calls a receipt.

#include <correlation/message_id.hpp>
#include <sms/core/receipt.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto r = semel::sms::parse_receipt_text(text)) {
        // Three characters for each byte that cannot be printed.
        if (r->message_id.empty() || r->message_id.size() > std::size_t{3} * 64 ||
            r->error.size() > std::size_t{3} * 16) {
            std::abort();
        }
        const auto prints = [](char c) { return c >= 0x20 && c <= 0x7e; };
        if (!std::ranges::all_of(r->message_id, prints) || !std::ranges::all_of(r->error, prints)) {
            std::abort();
        }
        const auto ids = semel::correlation::id_alternatives(r->message_id);
        if (ids.empty() || ids.front() != semel::correlation::plain_id(r->message_id)) {
            std::abort();
        }
    }
    return 0;
}
