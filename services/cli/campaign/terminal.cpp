#include "terminal.hpp"

#include <cli/campaign/session.hpp>
#include <cli/campaign/text_table.hpp>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace semel::cli::campaign {
namespace {

bool is_terminal(int file) {
    return ::isatty(file) == 1;
}

std::size_t columns_of(int file) {
    winsize size{};
    return ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

progress::progress()
    : terminal_(is_terminal(STDERR_FILENO)) {}

progress::~progress() {
    if (terminal_ && !shown_.empty()) {
        std::fputs("\r\x1b[K", stderr);
    }
}

void progress::say(std::string_view text) {
    if (text == shown_) {
        return;
    }
    shown_ = text;
    if (terminal_) {
        fmt::print(stderr, "\r\x1b[K{}", fit(text, columns_of(STDERR_FILENO) - 1));
    } else {
        fmt::print(stderr, "{}\n", text);
    }
    std::fflush(stderr);
}

board::board()
    : terminal_(is_terminal(STDOUT_FILENO)) {}

void board::show(const std::string& block, const std::string& line) {
    if (!terminal_) {
        if (line != shown_) {
            fmt::print("{}", line);
            shown_ = line;
        }
    } else {
        if (height_ > 0) {
            fmt::print("\x1b[{}A\r\x1b[J", height_);
        }
        height_ = 0;
        for (std::size_t from = 0; from < block.size(); ++height_) {
            const auto end = std::min(block.find('\n', from), block.size());
            fmt::print("{}\n", fit(std::string_view{block}.substr(from, end - from), columns_of(STDOUT_FILENO)));
            from = end + 1;
        }
    }
    std::fflush(stdout);
}

int fail(const base::fault& why) {
    fmt::print(stderr, "semel: {}\n", why.why());
    return exit_code_of(why);
}

int unsupported(std::string_view what) {
    fmt::print(stderr, "semel: not supported in this version: {}\n", what);
    return 2;
}

void print_json(const json::value& document) {
    fmt::print("{}", json::pretty(document));
}

void pause_for(std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
}

} // namespace semel::cli::campaign
