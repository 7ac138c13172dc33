#include "upload.hpp"

#include <fmt/format.h>

namespace semel::cli::campaign {

std::string_view format_of(const std::filesystem::path& file) {
    auto name = file.filename();
    if (name.extension() == ".gz" || name.extension() == ".zst") {
        name = name.stem();
    }
    return name.extension() == ".ndjson" || name.extension() == ".jsonl" ? "ndjson" : "csv";
}

std::filesystem::path rejects_file_for(const std::filesystem::path& file, std::int64_t wave) {
    if (file == "-") {
        return fmt::format("rejects-{}.csv", wave);
    }
    auto beside = file;
    return beside += ".rejects.csv";
}

} // namespace semel::cli::campaign
