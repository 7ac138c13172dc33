#pragma once
// `semel plan what-if FILE`: how long would it take, before anything is uploaded. Reads files alone; no service.

#include <base/fault.hpp>
#include <base/time.hpp>

#include <cli/plan/load.hpp>
#include <cli/plan/outlook.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace semel::cli::plan {

struct what_if {
    std::string file, format; ///< format empty: by the file's name
    std::vector<std::string> rates;
    std::string config, notice;
    std::vector<std::string> channels;
    std::string dedup = "address", region = "KR", start, deadline;
    double own_rate = 0;
    bool accept_unreachable = false, json = false;
};

/// 0: known to be in time, or there is no deadline; 1: it is not, or the file is none; 2: wrong usage.
int run(const what_if&, base::timestamp now, std::istream& standard_input, std::ostream& out, std::ostream& err);

/// "email=300", "push=500/m": by channel.
base::result<rates> rates_from(const std::vector<std::string>& words);

void add_plan_commands(CLI::App&, int& exit_code);

} // namespace semel::cli::plan
