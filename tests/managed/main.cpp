#include "servers.hpp"

namespace semel::managed {
namespace {
servers* started = nullptr; // gtest owns it
} // namespace
servers& here() {
    return *started;
}
} // namespace semel::managed

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    semel::managed::started = new semel::managed::servers;
    testing::AddGlobalTestEnvironment(semel::managed::started);
    return RUN_ALL_TESTS();
}
