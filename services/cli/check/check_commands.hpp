#pragma once
// `semel check config FILE` and `semel prepare FILE`: before servers of one's own serve a campaign.

namespace CLI {
class App;
}

namespace semel::cli {

void add_check_commands(CLI::App&, int& exit_code);

} // namespace semel::cli
