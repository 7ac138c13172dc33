// semel-audience: a made-up audience on standard output, and what Semel must find in it.

#include "people.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>

int main(int argc, char** argv) {
    using namespace semel;
    people::choices how;
    std::uint64_t rows = 10'000;
    std::string format = "csv";
    std::string oracle_file;
    std::vector<std::string> channels{"email", "phone", "push"};

    CLI::App app{"Writes a made-up audience to standard output. The same seed gives the same people.\n"
                 "For test gateways only: the phone numbers are of the kind that people have.\n"
                 "Example: semel-audience --rows 100000 --messy --oracle expected.json | gzip > audience.csv.gz"};
    app.add_option("--rows", rows, "How many rows")->capture_default_str();
    app.add_option("--seed", how.seed, "Another seed, other people")->capture_default_str();
    app.add_flag("--messy", how.messy, "Spellings, broken addresses and broken rows, as real files have them");
    app.add_option("--format", format, "csv or ndjson")->check(CLI::IsMember({"csv", "ndjson"}))->capture_default_str();
    app.add_option("--columns", channels, "Kinds of address to give: email, phone, push")
        ->delimiter(',')
        ->check(CLI::IsMember({"email", "phone", "push"}));
    app.add_option("--oracle", oracle_file,
                   "Write the expected counts to this JSON file (some 60 bytes of memory an address)");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }

    const auto asked = [&](std::string_view kind) { return std::ranges::find(channels, kind) != channels.end(); };
    how.email = asked("email");
    how.phone = asked("phone");
    how.push = asked("push");

    people::oracle oracle;
    std::string out{format == "csv" ? people::csv_header() : ""};
    const auto flush = [&] {
        const bool written = std::fwrite(out.data(), 1, out.size(), stdout) == out.size();
        out.clear();
        return written;
    };
    for (std::uint64_t i = 1; i <= rows; ++i) {
        const auto one = people::make(how, i);
        if (!oracle_file.empty()) {
            oracle.see(one);
        }
        format == "csv" ? people::append_csv(out, one) : people::append_ndjson(out, one);
        if (out.size() > 64 * 1024 && !flush()) {
            std::perror("semel-audience: standard output");
            return 1;
        }
    }
    if (!flush() || std::fflush(stdout) != 0) {
        std::perror("semel-audience: standard output");
        return 1;
    }
    if (!oracle_file.empty()) {
        std::ofstream file{oracle_file};
        file << oracle.json();
        if (!file.flush()) {
            std::perror(("semel-audience: " + oracle_file).c_str());
            return 1;
        }
    }
    return 0;
}
