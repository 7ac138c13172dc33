#include "folder.hpp"

#include "utf8.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string_view>

namespace semel::notice {
namespace {

constexpr std::size_t largest_file_bytes = 256 * 1024;
constexpr std::size_t most_files = 500;

/// Controls, bidirectional marks and what is not UTF-8 as %xx: a name must not write over the line that it stands in.
std::string shown_name(std::string_view name) {
    constexpr std::size_t longest = 200;
    std::string out;
    std::string_view rest = name.substr(0, longest);
    while (!rest.empty()) {
        const auto before = rest;
        take_code_point(rest);
        const auto character = before.substr(0, before.size() - rest.size());
        if (is_valid_utf8(character) && clean_value(character) == character && character != "\t" && character != "\n") {
            out += character;
        } else {
            for (const char byte : character) {
                out += fmt::format("%{:02x}", static_cast<unsigned char>(byte));
            }
        }
    }
    return out;
}

} // namespace

base::result<void> check_limits(const files& folder) {
    const auto refuse = [](std::string why) { return base::failed(base::fault::kind::malformed, std::move(why)); };
    if (folder.size() > most_files) {
        return refuse(fmt::format("{} files are too many for a notice: at most {}; check that this is the right folder",
                                  folder.size(), most_files));
    }
    for (const auto& [name, bytes] : folder) {
        const auto shown = shown_name(name);
        if (shown != name || name.contains('/') || name.empty()) {
            return refuse(
                fmt::format("the file name \"{}\" has characters that none of a notice has; rename the file", shown));
        }
        if (bytes.size() > largest_file_bytes) {
            return refuse(
                fmt::format("{} is too large for a notice: at most {} KiB a file; check that this is the right folder",
                            shown, largest_file_bytes / 1024));
        }
    }
    return {};
}

base::result<files> load_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::directory_iterator entries{folder, error};
    if (error) {
        return base::failed(base::fault::kind::malformed,
                            fmt::format("cannot read the notice folder {}: {}; give a folder with a notice.yaml",
                                        folder.string(), error.message()));
    }
    files out;
    for (const auto& entry : entries) {
        const auto name = entry.path().filename().string();
        if (!entry.is_regular_file(error) || name.starts_with('.')) {
            continue;
        }
        std::ifstream in{entry.path(), std::ios::binary};
        std::ostringstream bytes;
        bytes << in.rdbuf();
        if (!in) {
            return base::failed(base::fault::kind::malformed,
                                fmt::format("cannot read {}; check its permissions", entry.path().string()));
        }
        out[name] = std::move(bytes).str();
        if (auto within = check_limits({{name, out[name]}}); !within) {
            return base::failed(within.error());
        }
        if (out.size() > most_files) {
            break; // the wrong folder: no need to read all of it
        }
    }
    if (auto within = check_limits(out); !within) {
        return base::failed(within.error());
    }
    return out;
}

crypto::digest digest_of(const files& folder) {
    crypto::hasher all;
    for (const auto& [name, bytes] : folder) {
        all.update(base::as_view(crypto::sha256_of_fields({name, bytes})));
    }
    return all.finish();
}

} // namespace semel::notice
