// Any text is either a configuration or a list of complaints.
#include <config/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto out = semel::config::parse({reinterpret_cast<const char*>(data), size}, "/etc/semel/semel.yaml");
    if (!out && out.error().why().empty()) {
        std::abort();
    }
    return 0;
}
