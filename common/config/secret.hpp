#pragma once
// Secrets stand in files, never in semel.yaml, in flags or in logs.

#include <base/fault.hpp>

#include <filesystem>
#include <string>

namespace semel::config {

/// The file without the line ends at its end. No file: no secret. A file that cannot be read or is empty is `broken`.
base::result<std::string> secret_in(const std::filesystem::path& file);

} // namespace semel::config
