#include "overhearing.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <tuple>

namespace semel::simulation {

overhearing::overhearing()
    : true_one_(::dup(STDERR_FILENO))
    , kept_(::memfd_create("overheard", MFD_CLOEXEC)) {
    if (true_one_ < 0 || kept_ < 0 || ::dup2(kept_, STDERR_FILENO) < 0) {
        throw std::runtime_error{"standard error cannot be turned to a file in memory"};
    }
}

overhearing::~overhearing() {
    ::dup2(true_one_, STDERR_FILENO);
    const auto all = so_far();
    std::ignore = ::write(STDERR_FILENO, all.data(), all.size());
    ::close(true_one_);
    ::close(kept_);
}

std::string overhearing::so_far() const {
    struct stat about{};
    ::fstat(kept_, &about);
    std::string all(static_cast<std::size_t>(about.st_size), '\0');
    const auto n = ::pread(kept_, all.data(), all.size(), 0);
    all.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return all;
}

} // namespace semel::simulation
