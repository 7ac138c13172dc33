// What a dispatcher reads back about itself: the metadata of an offset commit and the claims in Redis. Both may come
// from another version, or from somebody else's hands.

#include <delivery/core/checkpoint.hpp>
#include <delivery/core/claim_value.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace semel;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto c = delivery::decode_checkpoint(1'000, text); c && !text.empty()) {
        const auto again = delivery::decode_checkpoint(1'000, delivery::encode(*c));
        if (!again || again->owner != c->owner || again->transaction != c->transaction || again->marker != c->marker ||
            again->claims_lost_below != c->claims_lost_below) {
            std::abort();
        }
    }
    if (const auto o = delivery::decode_outcome(text)) {
        const auto again = delivery::decode_outcome(delivery::encode(*o));
        if (!again || again->code != o->code || again->message_id != o->message_id) {
            std::abort();
        }
    }
    if (delivery::gateway_of_claim(text).size() > size) {
        std::abort();
    }
    return 0;
}
