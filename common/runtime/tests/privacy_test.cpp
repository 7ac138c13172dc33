#include <runtime/privacy.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

namespace semel::runtime {
namespace {

/// In a process of its own: what is given up here does not come back.
bool holds(const std::function<bool()>& claim, const std::function<void()>& after = keep_to_itself) {
    const auto child = ::fork();
    if (child == 0) {
        after();
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

struct AsRoot : ::testing::Test {
    std::string of_another = ::testing::TempDir() + "of-another.XXXXXX";

    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "only root has something to give up";
        }
        const int fd = ::mkstemp(of_another.data());
        ASSERT_GE(fd, 0);
        ::close(fd);
        ASSERT_EQ(::chown(of_another.c_str(), nobody().pw_uid, nobody().pw_gid), 0);
        ASSERT_EQ(::chmod(of_another.c_str(), 0600), 0);
    }
    void TearDown() override { ::unlink(of_another.c_str()); }

    static const passwd& nobody() { return *::getpwnam("nobody"); }
    bool opens() const {
        const int fd = ::open(of_another.c_str(), O_RDONLY | O_CLOEXEC);
        return fd >= 0 || errno != EACCES;
    }
};

TEST_F(AsRoot, WithoutAUserHoldsNoneOfRootsRights) {
    EXPECT_TRUE(holds([this] { return opens(); })) << "root itself opens it";
    const auto without = [] { give_up_root(""); };
    EXPECT_TRUE(holds([this] { return ::geteuid() == 0 && !opens(); }, without));
    EXPECT_TRUE(holds([] { return ::setuid(1) == -1; }, without));
}

TEST_F(AsRoot, BecomesTheUserForGood) {
    const auto as_nobody = [] { give_up_root("nobody"); };
    EXPECT_TRUE(holds(
        [] {
            uid_t real = 0;
            uid_t effective = 0;
            uid_t saved = 0;
            return ::getresuid(&real, &effective, &saved) == 0 && real == nobody().pw_uid && effective == real &&
                   saved == real && ::getegid() == nobody().pw_gid;
        },
        as_nobody));
    EXPECT_TRUE(holds([] { return ::setuid(0) == -1; }, as_nobody));
    EXPECT_TRUE(holds([this] { return opens(); }, as_nobody));
    EXPECT_TRUE(holds([] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0; }, as_nobody));
}

TEST_F(AsRoot, StillMayListenOnTheWebsPort) {
    EXPECT_TRUE(holds(
        [] {
            const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in at{};
            at.sin_family = AF_INET;
            at.sin_port = htons(1); // tcpmux: nobody's
            at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return ::bind(s, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
        },
        [] { give_up_root("nobody"); }));
}

TEST_F(AsRoot, AUserWhoDoesNotExistEndsIt) {
    EXPECT_THROW(give_up_root("no-such-user-of-ours"), std::runtime_error);
}

} // namespace
} // namespace semel::runtime
