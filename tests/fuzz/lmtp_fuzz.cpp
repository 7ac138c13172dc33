// Whatever a client of the bounce server says: it is the same however it is cut, and nothing is kept for a recipient
// that is not ours.

#include <receipts/core/lmtp.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace semel::receipts;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::optional<return_address> read(std::string_view path) {
    return path == "a@b" ? std::optional{return_address{.gateway = "relay", .notification = {}}} : std::nullopt;
}

struct result {
    std::string said, kept;
    bool operator==(const result&) const = default;
};

result play(std::string_view bytes, std::size_t piece) {
    constexpr lmtp_session::limits limits{.line = 100, .recipients = 3, .errors = 5, .kept = 50, .size = 500};
    lmtp_session s{"here", read, limits};
    result out;
    out.said = s.take("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n");
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
        out.said += s.take(bytes.substr(i, piece));
        while (s.waiting()) {
            require(!s.waiting()->to.empty() && s.waiting()->to.size() <= limits.recipients);
            require(s.waiting()->text.size() <= limits.kept);
            out.kept += s.waiting()->text;
            out.said += s.answer(true);
        }
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    require(play(bytes, 1) == play(bytes, size + 1));
    return 0;
}
