#include "private_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <system_error>
#include <utility>

namespace semel::cli::campaign {

namespace fs = std::filesystem;

base::result<private_file> private_file::create(const std::string& path) {
    private_file made{path};
    if (path == "-") {
        return made;
    }
    std::error_code unknown;
    if (const auto there = fs::status(path, unknown); fs::exists(there) && !fs::is_regular_file(there)) {
        made.file_.open(path, std::ios::binary);
    } else {
        made.part_ = fmt::format("{}.{}.part", path, ::getpid());
        const int fd = ::open(made.part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0) {
            made.part_.clear(); // not ours to remove
            return base::failed(made.trouble());
        }
        ::close(fd);
        made.file_.open(made.part_, std::ios::binary);
    }
    if (!made.file_) {
        return base::failed(made.trouble());
    }
    return made;
}

private_file::private_file(private_file&& other) noexcept
    : path_(std::move(other.path_))
    , part_(std::exchange(other.part_, {}))
    , file_(std::move(other.file_)) {}

private_file::~private_file() {
    if (!part_.empty()) {
        std::error_code ignored;
        fs::remove(part_, ignored);
    }
}

std::ostream& private_file::out() {
    return path_ == "-" ? std::cout : static_cast<std::ostream&>(file_);
}

base::result<void> private_file::keep() {
    if (!out().flush()) {
        return base::failed(trouble());
    }
    if (part_.empty()) {
        return {};
    }
    file_.close();
    std::error_code error;
    fs::rename(part_, path_, error);
    if (!file_ || error) {
        errno = error ? error.value() : errno;
        return base::failed(trouble());
    }
    part_.clear();
    return {};
}

base::fault private_file::trouble() const {
    return {base::fault::kind::permanent,
            fmt::format("cannot write {}: {}", path_.string(), std::generic_category().message(errno))};
}

} // namespace semel::cli::campaign
