#pragma once
// Names around an audience file. Pure.

#include <filesystem>
#include <string>
#include <string_view>

namespace semel::cli::campaign {

/// By the name, compression left aside: "people.ndjson.gz" and "people.jsonl" are ndjson, everything else csv.
std::string_view format_of(const std::filesystem::path& file);
/// Beside the file ("people.csv.gz.rejects.csv"); "rejects-WAVE.csv" here for what came from standard input.
std::filesystem::path rejects_file_for(const std::filesystem::path& file, std::int64_t wave);

} // namespace semel::cli::campaign
