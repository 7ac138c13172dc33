#pragma once
// The files of a notice before anybody reads what they say. Pure, but for load_folder().

#include <base/fault.hpp>
#include <crypto/hash.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace semel::notice {

/// By file name, as uploaded.
using files = std::map<std::string, std::string>;

/// The files of a folder, without hidden ones and subfolders. Refuses what is too large to be a notice.
base::result<files> load_folder(const std::filesystem::path&);
/// What is larger than a notice can be, or has a file whose name cannot be shown: `malformed`. Holds whoever sends it.
base::result<void> check_limits(const files&);
/// Names a notice: the key of `notices`, what an approval is bound to.
crypto::digest digest_of(const files&);

} // namespace semel::notice
