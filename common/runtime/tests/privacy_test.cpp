#include <runtime/privacy.hpp>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace semel::runtime {
namespace {

/// In a process of its own: what is given up here does not come back.
bool holds(const std::function<bool()>& claim) {
    const auto child = ::fork();
    if (child == 0) {
        keep_to_itself();
        ::_exit(claim() ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Privacy, LeavesNoCoreFile) {
    EXPECT_TRUE(holds([] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0; }));
    EXPECT_TRUE(holds([] {
        rlimit cores{};
        return ::getrlimit(RLIMIT_CORE, &cores) == 0 && cores.rlim_cur == 0 && cores.rlim_max == 0;
    }));
}

TEST(Privacy, WritesForItsOwnUser) {
    EXPECT_TRUE(holds([] { return ::umask(0) == 077; }));
}

} // namespace
} // namespace semel::runtime
