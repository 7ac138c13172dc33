// Whatever a carrier calls a receipt.

#include <sms/core/receipt.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto r = semel::sms::parse_receipt_text(text)) {
        if (r->message_id.empty() || r->message_id.size() > 64 || r->error.size() > 16) {
            std::abort();
        }
        const auto ids = semel::sms::id_alternatives(r->message_id);
        if (ids.empty() || ids.front() != r->message_id) {
            std::abort();
        }
    }
    return 0;
}
