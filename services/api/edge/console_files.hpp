#pragma once
// The console as it was built: files that are read once and served as they are. They are not secret, so nobody has to
// be known to get them; what they show comes from the guarded routes.

#include <http/server.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace semel::api {

/// Where a build puts them: beside the folder of this program, in share/console.
std::filesystem::path built_console();

class console_files {
  public:
    struct file {
        std::string bytes;
        std::string gzip; // the same; empty where the build made none
        std::string type;
    };

    /// By their paths: "index.html", "assets/index-4f2a.js". Only what a browser is to get. Nothing of a folder that is
    /// not there; throws std::filesystem::filesystem_error for one that may not be read.
    static console_files read(const std::filesystem::path& folder);

    const file* find(const std::string& path) const;
    bool empty() const noexcept { return files_.empty(); }

  private:
    std::map<std::string, file> files_;
};

/// GET / and what it refers to. Without files it says how to get them.
void add_console(http::router&, std::shared_ptr<const console_files>);

} // namespace semel::api
