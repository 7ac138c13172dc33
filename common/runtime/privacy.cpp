#include "privacy.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace semel::runtime {

void keep_to_itself() {
    // The limit alone is not enough: a core that is piped to a program (systemd-coredump) is written all the same.
    constexpr rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        throw std::system_error{errno, std::generic_category(), "core dumps cannot be switched off"};
    }
    ::umask(077);
}

} // namespace semel::runtime
