#pragma once
// Named places where a test lets a process die. Compiled only with SEMEL_FAILPOINTS; otherwise SEMEL_FAILPOINT checks
// its name and is nothing.
//
//   SEMEL_FAILPOINT("delivery.claim.taken");
//
// Armed by the environment, SEMEL_FAILPOINT=NAME[:HIT[:stop]], or in a running process by a file of that content
// (watch_file(); serve() watches run/SERVICE.failpoint). At the HIT-th passing, from 1 and counted from the arming, the
// process kills itself with SIGKILL, or stops itself with SIGSTOP.

#include <failpoint/names.hpp>

#include <filesystem>
#include <string>
#include <string_view>

#ifdef SEMEL_FAILPOINTS
#define SEMEL_FAILPOINT(name)                                                                                          \
    do {                                                                                                               \
        constexpr auto semel_failpoint_index = ::semel::failpoint::index_of(name);                                     \
        static_assert(semel_failpoint_index < ::semel::failpoint::points.size(), "not in failpoint/names.hpp");        \
        ::semel::failpoint::reached(semel_failpoint_index);                                                            \
    } while (false)
#else
#define SEMEL_FAILPOINT(name)                                                                                          \
    static_assert(::semel::failpoint::index_of(name) < ::semel::failpoint::points.size(), "not in "                    \
                                                                                          "failpoint/names.hpp")
#endif

namespace semel::failpoint {

/// Whether this build can die on demand.
bool compiled_in() noexcept;
/// From now on this file arms the process when it appears (looked for some twenty times a second, while failpoints are
/// passed); it is removed when it was heard. Does nothing in a build without failpoints.
void watch_file(std::filesystem::path);
/// "NAME\n" for each point that this service passes.
std::string list(std::string_view service);

void reached(std::size_t index) noexcept; // through the macro

} // namespace semel::failpoint
