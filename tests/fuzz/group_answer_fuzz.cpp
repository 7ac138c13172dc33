// What whoever listens at Kafka's port answers to `semel scale`: read within bounds, and a port that is one.

#include <kafka/group_answers.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto length = semel::kafka::length_of_answer(bytes.substr(0, 4));
    if (length && (*length < 4 || *length > (1U << 20U))) {
        std::abort();
    }
    if (const auto at = semel::kafka::coordinator_in(bytes, "g"); at && (at->host.empty() || at->port <= 0)) {
        std::abort();
    }
    if (semel::kafka::departure_in(bytes, "g") && bytes.size() < 6) {
        std::abort(); // no error code was there to say so
    }
    return 0;
}
