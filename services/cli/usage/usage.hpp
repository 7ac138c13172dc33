#pragma once
// Wrong usage, in words that help: which command, what it does not know, and what was probably meant.

#include <string>
#include <string_view>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace semel::cli {

/// For standard error, with its line break. The program has just thrown this while it parsed.
std::string explain_usage(const CLI::App& program, const CLI::ParseError&);

} // namespace semel::cli
