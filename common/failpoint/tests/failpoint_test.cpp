// Compiled with SEMEL_FAILPOINTS whatever the build says.

#include <failpoint/failpoint.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

namespace {

using namespace semel;

/// How a child that runs this ends.
int fate_of(const char* order, const std::function<void()>& story) {
    const auto child = ::fork();
    if (child == 0) {
        ::setenv("SEMEL_FAILPOINT", order, 1);
        story();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    return status;
}

bool killed(int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(Failpoint, KillsAtTheHitThatWasAskedFor) {
    const auto pass_twice = [] {
        SEMEL_FAILPOINT("delivery.claim.taken");
        SEMEL_FAILPOINT("delivery.claim.sent");
        SEMEL_FAILPOINT("delivery.claim.taken");
    };
    EXPECT_TRUE(killed(fate_of("delivery.claim.taken", pass_twice)));
    EXPECT_TRUE(killed(fate_of("delivery.claim.taken:2", pass_twice)));
    EXPECT_EQ(fate_of("delivery.claim.taken:3", pass_twice), 0);
    EXPECT_EQ(fate_of("no.such.point", pass_twice), 0);
    EXPECT_TRUE(WIFSTOPPED(fate_of("delivery.claim.sent:1:stop", pass_twice)));
}

TEST(Failpoint, AFileArmsAProcessThatIsRunning) {
    const auto file = std::filesystem::temp_directory_path() / ("failpoint." + std::to_string(::getpid()));
    const auto status = fate_of("", [&] {
        failpoint::watch_file(file);
        SEMEL_FAILPOINT("delivery.commit.begun");
        std::ofstream{file} << "delivery.commit.begun:2\n";
        for (int i = 0; i < 10'000; ++i) { // some ten seconds; it dies within a tenth of one
            SEMEL_FAILPOINT("delivery.commit.begun");
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    });
    EXPECT_TRUE(killed(status));
    EXPECT_FALSE(std::filesystem::exists(file)) << "heard, and removed";
}

TEST(Failpoint, NamesAreDistinctAndBelongToAService) {
    std::set<std::string_view> names;
    for (const auto& p : failpoint::points) {
        EXPECT_TRUE(names.insert(p.name).second) << p.name;
        EXPECT_FALSE(p.where.empty()) << p.name;
    }
    EXPECT_TRUE(failpoint::list("sms").contains("delivery.claim.taken\n"));
    EXPECT_FALSE(failpoint::list("plan").contains("delivery."));
}

} // namespace
