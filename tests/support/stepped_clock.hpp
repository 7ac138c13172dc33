#pragma once
// A wall clock of its own for a process that a test starts: it may step at any moment, and steady clocks do not
// (tests/chaos/semel_chaos/clock.c, preloaded).

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace semel::support {

class stepped_clock {
  public:
    explicit stepped_clock(std::chrono::microseconds ahead = {}) {
        static int count = 0;
        name_ = (std::filesystem::temp_directory_path() / fmt::format("clock.{}.{}", ::getpid(), ++count)).string();
        const int file = ::open(name_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0 || ::ftruncate(file, sizeof(std::int64_t)) != 0) {
            throw std::runtime_error{"cannot make " + name_};
        }
        page_ = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (page_ == MAP_FAILED) {
            throw std::runtime_error{"cannot map " + name_};
        }
        step(ahead);
    }
    stepped_clock(const stepped_clock&) = delete;
    stepped_clock& operator=(const stepped_clock&) = delete;
    ~stepped_clock() {
        ::munmap(page_, sizeof(std::int64_t));
        std::error_code ignored;
        std::filesystem::remove(name_, ignored);
    }

    /// From now on so far ahead of the machine's clock.
    void step(std::chrono::microseconds ahead) { *static_cast<volatile std::int64_t*>(page_) = ahead.count(); }
    /// Between fork() and exec(): for the process that is to have it.
    void wear() const {
        ::setenv("LD_PRELOAD", SEMEL_STEPPED_CLOCK, 1);
        ::setenv("SEMEL_CLOCK", name_.c_str(), 1);
    }

  private:
    std::string name_;
    void* page_ = nullptr;
};

} // namespace semel::support
