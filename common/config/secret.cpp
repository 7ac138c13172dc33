#include "secret.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace semel::config {

using base::failed;
using enum base::fault::kind;

base::result<std::string> secret_in(const std::filesystem::path& file) {
    if (file.empty()) {
        return std::string{};
    }
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.pop_back();
    }
    if (text.empty()) {
        return failed(broken, fmt::format("{}: the secret in it cannot be read, or it is empty", file.string()));
    }
    return text;
}

} // namespace semel::config
