// Whatever a relay sends: the same replies come out however the stream is cut, and no text for people holds an address.

#include <email/core/classify.hpp>
#include <email/core/reply.hpp>

#include <cstdint>
#include <cstdlib>

using namespace semel::email;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    reply_parser whole;
    reply_parser split;
    whole.feed(bytes);
    std::size_t fed = 0;
    while (const auto r = whole.next()) {
        require(r->code >= 200 && r->code < 600);
        auto same = split.next();
        while (!same && fed < size) {
            split.feed(bytes.substr(fed++, 1));
            same = split.next();
        }
        require(same && same->code == r->code && same->lines == r->lines && same->status == r->status);
        const auto v = classify(stage::dot, *r, "someone@example.com");
        require(!v.text.contains('@'));
        require(v.text.size() <= 200 + 20);
        const auto before = classify(stage::rcpt, *r, "someone@example.com");
        require(before.what != semel::delivery::verdict::kind::accepted);
        require(before.what != semel::delivery::verdict::kind::unknown);
    }
    return 0;
}
