// Whatever comes back to a return path: what is read of it is bounded, and a bounce that is known has a recipient.

#include <receipts/core/bounce.hpp>
#include <receipts/core/mime.hpp>

#include <cstdint>
#include <cstdlib>

using namespace semel::receipts;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto b = read_bounce(bytes);
    require(b.what == bounce::kind::unknown || !b.recipients.empty());
    require(b.recipients.size() <= 100);
    for (const auto& r : b.recipients) {
        require(r.address.size() <= 500 && r.diagnostic.size() <= 500);
        require(r.status.empty() || r.status.front() == '2' || r.status.front() == '4' || r.status.front() == '5');
    }
    require(read_mime(bytes).parts.size() <= 64);
    return 0;
}
