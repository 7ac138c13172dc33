// Whatever a resolver hands over: TXT records come out, or a fault.

#include <cli/check/sender.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto found = semel::cli::txt_in({reinterpret_cast<const char*>(data), size});
    if (found) {
        std::size_t bytes = 0;
        for (const auto& record : *found) {
            bytes += record.size();
            static_cast<void>(semel::cli::tag_of(record, "p"));
        }
        if (bytes > size * size + 1) { // compression repeats names, never the data of records
            std::abort();
        }
    }
    return 0;
}
