#pragma once
// What the commands say while they work and when they end.

#include <base/fault.hpp>
#include <http/json.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace semel::cli::campaign {

/// A line on standard error that is rewritten on a terminal; elsewhere a line for each text that is new, so that a log
/// holds no repetitions.
class progress {
  public:
    progress();
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    void say(std::string_view text);

  private:
    bool terminal_;
    std::string shown_;
};

/// A block on standard output that is redrawn on a terminal; elsewhere `line`, when it is new.
class board {
  public:
    board();
    void show(const std::string& block, const std::string& line);

  private:
    bool terminal_;
    std::size_t height_ = 0;
    std::string shown_;
};

/// Prints why, and gives the exit code.
int fail(const base::fault&);
/// For parts of the contract that do not exist yet: exit code 2.
int unsupported(std::string_view what);
void print_json(const json::value&);
void pause_for(std::chrono::milliseconds);

} // namespace semel::cli::campaign
