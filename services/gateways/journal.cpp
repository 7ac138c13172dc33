#include "journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace semel::gateways {

namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
    throw std::runtime_error{fmt::format("{}: {}; the gateways cannot note what they accept", file.string(),
                                         std::error_code{error, std::system_category()}.message())};
}

off_t size_of(int fd) {
    struct stat s{};
    return ::fstat(fd, &s) == 0 ? s.st_size : 0;
}

} // namespace

journal::journal(std::filesystem::path file)
    : file_(std::move(file)) {
    fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) {
        fail(file_, errno);
    }
    auto end = size_of(fd_);
    for (char last = 0; end > 0 && ::pread(fd_, &last, 1, end - 1) == 1 && last != '\n';) {
        --end;
    }
    if (end < size_of(fd_) && ::ftruncate(fd_, end) != 0) {
        fail(file_, errno);
    }
}

journal::~journal() {
    ::close(fd_);
}

void journal::flush() {
    if (lines_.empty()) {
        return;
    }
    const auto before = size_of(fd_);
    for (std::size_t done = 0; done < lines_.size();) {
        const auto n = ::write(fd_, lines_.data() + done, lines_.size() - done);
        if (n < 0 && errno != EINTR) {
            const auto error = errno;
            if (::ftruncate(fd_, before) != 0) {
                fail(file_, errno);
            }
            fail(file_, error);
        }
        done += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    lines_.clear();
}

} // namespace semel::gateways
