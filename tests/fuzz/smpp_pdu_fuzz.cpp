// Whatever a message centre sends: what decodes encodes again to the same meaning, and a session survives it without
// ever believing in an acceptance of a message that it did not submit.

#include <sms/core/pdu.hpp>
#include <sms/core/session.hpp>

#include <cstdint>
#include <cstdlib>

using namespace semel::sms;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (const auto p = decode(bytes)) {
        std::string once;
        encode(once, *p);
        const auto again = decode(once);
        require(again.has_value());
        std::string twice;
        encode(twice, *again);
        require(once == twice);
    }

    const session::time_point now{};
    session s{{.system_id = "semel", .password = "secret", .system_type = {}}, now};
    (void)s.take_output();
    std::string bind_answer;
    encode(bind_answer, {.status = 0, .sequence = 1, .content = bind_resp{}});
    s.feed(bind_answer, now);
    require(s.reserve(1));
    message m;
    m.destination = "821000000000";
    const auto mine = s.submit(m, now);
    for (std::size_t at = 0; at < size; at += 7) {
        s.feed(bytes.substr(at, 7), now);
    }
    s.lost("end", 0);
    std::size_t answers = 0;
    for (const auto& event : s.take_events()) {
        if (const auto* a = std::get_if<session::answered>(&event)) {
            require(a->sequence == mine);
            ++answers;
        }
    }
    require(answers == 1);
    return 0;
}
