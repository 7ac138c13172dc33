#pragma once
// Records that cannot be used. Whoever meets one passes it over: the process is told of it, and reading goes on behind.

#include <kafka/types.hpp>

#include <functional>
#include <string_view>

namespace semel::kafka {

/// Lives for the length of the call.
struct refused_record {
    const topic_partition& at;
    kafka::offset offset;
    std::string_view key, value; // hostile, or sealed: never logged
    std::string_view why;
};
/// Called on the strand of whoever reads. Must neither throw nor wait.
using refusal_sink = std::function<void(const refused_record&)>;

/// Where refusals go from now on, in the whole process; until then, nowhere.
void tell_refusals_to(refusal_sink);
void refuse(const record&, std::string_view why);

} // namespace semel::kafka
