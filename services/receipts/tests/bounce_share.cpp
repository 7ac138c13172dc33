// Reads every file of a folder as a bounce, and says of how many it knows what became of the message. For a public
// corpus, such as github.com/sisimai/set-of-emails, which is not part of this repository.
#include <receipts/core/bounce.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

using semel::receipts::bounce;

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "bounce_share FOLDER\n";
        return 2;
    }
    std::map<std::string_view, int> counts;
    std::set<std::string> without_reason, unknown;
    int all = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[1]}) {
        if (!entry.is_regular_file()) {
            continue;
        }
        std::ifstream in{entry.path(), std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
        const auto read = semel::receipts::read_bounce(bytes);
        ++all;
        ++counts[to_string(read.what)];
        const bool why =
            read.what != bounce::kind::failed || (!read.recipients.empty() && !read.recipients.front().status.empty());
        if (read.what == bounce::kind::unknown) {
            unknown.insert(entry.path().filename().string());
        } else if (!why) {
            without_reason.insert(entry.path().filename().string());
        }
    }
    for (const auto& [what, n] : counts) {
        std::cout << what << ' ' << n << '\n';
    }
    for (const auto& name : unknown) {
        std::cout << "not understood: " << name << '\n';
    }
    for (const auto& name : without_reason) {
        std::cout << "failed without a reason: " << name << '\n';
    }
    std::cout << "understood: " << all - static_cast<int>(unknown.size()) << " of " << all << '\n';
}
