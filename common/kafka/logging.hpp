#pragma once
// Where librdkafka's own log lines go. One sink for the process, because the library logs from its own threads.

#include <functional>
#include <string_view>

namespace semel::kafka {

/// level: as in syslog, 0 (emergency) to 7 (debug). Called from any thread, one line at a time.
using log_sink = std::function<void(int level, std::string_view line)>;

/// Without a sink, warnings and worse go to standard error.
void log_to(log_sink);
/// One line of ours to the same sink.
void log_line(int level, std::string_view line);

} // namespace semel::kafka
