#include "console_files.hpp"

#include <api/edge/strict_headers.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

namespace semel::api {

namespace fs = std::filesystem;
namespace asio = boost::asio;

namespace {

constexpr std::array types{
    std::pair<std::string_view, std::string_view>{".html", "text/html; charset=utf-8"},
    std::pair<std::string_view, std::string_view>{".js", "text/javascript; charset=utf-8"},
    std::pair<std::string_view, std::string_view>{".css", "text/css; charset=utf-8"},
    std::pair<std::string_view, std::string_view>{".svg", "image/svg+xml"},
};

std::string_view type_of(const fs::path& file) {
    for (const auto& [ending, type] : types) {
        if (file.extension() == ending) {
            return type;
        }
    }
    return {};
}

std::string bytes_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Its name holds the digest of its bytes, so it never changes.
bool is_immutable(std::string_view path) {
    return path.starts_with("assets/");
}

http::response not_built() {
    auto r = http::problem(404, "the console is not built here",
                           "deploy/setup installs what it needs, and the build makes it; everything else of the api "
                           "works without it");
    as_data(r);
    return r;
}

http::response serve(const console_files& files, const std::string& path, std::string_view accepts) {
    const auto* found = files.find(path);
    if (found == nullptr) {
        return not_built();
    }
    http::response r;
    r.content_type = found->type;
    const bool small = !found->gzip.empty() && accepts.contains("gzip");
    r.body = small ? found->gzip : found->bytes;
    if (small) {
        r.headers.emplace_back("Content-Encoding", "gzip");
    }
    r.headers.emplace_back("Vary", "Accept-Encoding");
    if (is_immutable(path)) {
        r.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    }
    as_page(r);
    return r;
}

} // namespace

fs::path built_console() {
    std::error_code error;
    const auto self = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path{} : self.parent_path().parent_path() / "share/console";
}

console_files console_files::read(const fs::path& folder) {
    console_files out;
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        return out;
    }
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
        const auto type = type_of(entry.path());
        if (type.empty() || !entry.is_regular_file()) {
            continue;
        }
        auto gzip = entry.path();
        gzip += ".gz";
        out.files_.emplace(entry.path().lexically_relative(folder).generic_string(),
                           file{.bytes = bytes_of(entry.path()), .gzip = bytes_of(gzip), .type = std::string{type}});
    }
    return out;
}

const console_files::file* console_files::find(const std::string& path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? nullptr : &found->second;
}

void add_console(http::router& to, std::shared_ptr<const console_files> files) {
    to.add("GET", "/", [files](http::request& r) -> asio::awaitable<http::response> {
        co_return serve(*files, "index.html", r.header("accept-encoding"));
    });
    to.add("GET", "/icon.svg", [files](http::request& r) -> asio::awaitable<http::response> {
        co_return serve(*files, "icon.svg", r.header("accept-encoding"));
    });
    to.add("GET", "/assets/{file}", [files](http::request& r) -> asio::awaitable<http::response> {
        co_return serve(*files, "assets/" + r.parameter("file"), r.header("accept-encoding"));
    });
}

} // namespace semel::api
