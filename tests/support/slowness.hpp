#pragma once
// How much slower the code under a sanitizer may be: for how long tests wait, and for how much work they give. Never
// for what they expect.

namespace semel::support {

#ifdef SEMEL_SANITIZED
inline constexpr int slowness = 5;
#else
inline constexpr int slowness = 1;
#endif

} // namespace semel::support
