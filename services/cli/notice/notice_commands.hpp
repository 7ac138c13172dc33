#pragma once
// `semel notice check` and `semel notice preview`: they work on a folder alone, without any service.

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace semel::cli {

/// Adds `notice` with its subcommands to the program. What a command finds becomes `exit_code`: 0 done, 1 the notice
/// is bad, 2 wrong usage.
void add_notice_commands(CLI::App& program, int& exit_code);

struct notice_check {
    std::string folder;
    bool json = false;
};
int run(const notice_check&, std::ostream& out, std::ostream& err);

struct notice_preview {
    std::string folder;
    std::string channel;
    std::string locale;
    std::vector<std::string> segments;
    std::map<std::string, std::string> slots; // name=value; others take their defaults
    bool supplement = false;                  // as somebody gets it whose segment came with a later wave
    std::string out_folder;                   // empty: nothing is written
    bool json = false;
};
int run(const notice_preview&, std::ostream& out, std::ostream& err);

} // namespace semel::cli
