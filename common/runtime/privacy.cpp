#include "privacy.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace semel::runtime {

namespace {

void must(bool done, const char* what) {
    if (!done) {
        throw std::system_error{errno, std::generic_category(), what};
    }
}

void become(const std::string& user) {
    const auto* who = ::getpwnam(user.c_str());
    if (who == nullptr) {
        throw std::runtime_error{
            fmt::format("semel.yaml: run_as: this machine knows no user {}: make one (useradd --system {}), or take "
                        "run_as out",
                        user, user)};
    }
    must(::initgroups(user.c_str(), who->pw_gid) == 0, "run_as: the user's groups cannot be taken on");
    must(::setresgid(who->pw_gid, who->pw_gid, who->pw_gid) == 0, "run_as: the user's group cannot be taken on");
    must(::setresuid(who->pw_uid, who->pw_uid, who->pw_uid) == 0, "run_as: the user cannot be taken on");
}

/// glibc has no function for it, and libcap would be a library for one call.
void hold_only(std::uint32_t capabilities) {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> sets{};
    sets[0] = {.effective = capabilities, .permitted = capabilities, .inheritable = 0};
    must(::syscall(SYS_capset, &header, sets.data()) == 0, "root's capabilities cannot be given up");
}

std::uint32_t held() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> sets{};
    must(::syscall(SYS_capget, &header, sets.data()) == 0, "the capabilities cannot be read");
    return sets[0].permitted;
}

} // namespace

void give_up_root(const std::string& user) {
    if (::geteuid() != 0) {
        return;
    }
    must(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "capabilities cannot be kept over a change of user");
    if (!user.empty()) {
        become(user);
    }
    constexpr std::uint32_t low_ports = 1U << CAP_NET_BIND_SERVICE;
    hold_only(held() & low_ports); // a container may have taken it from root
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "new privileges cannot be ruled out");
    must(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "core dumps cannot be switched off"); // another user: the default
}

void keep_to_itself() {
    // The limit alone is not enough: a core that is piped to a program (systemd-coredump) is written all the same.
    constexpr rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        throw std::system_error{errno, std::generic_category(), "core dumps cannot be switched off"};
    }
    ::umask(077);
}

} // namespace semel::runtime
