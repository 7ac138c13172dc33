#pragma once
// The file of what a listener accepted. Lines gather until flush(), which writes them with one write(2): whoever
// answers flushes first.

#include <filesystem>
#include <string>

namespace semel::gateways {

class journal {
  public:
    /// Goes on behind an earlier run's lines; the torn last line of a killed run, whose message was never answered,
    /// goes. Throws std::runtime_error that names the file.
    explicit journal(std::filesystem::path);
    ~journal();
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    std::string& lines() noexcept { return lines_; } // append whole lines
    /// Throws std::runtime_error, after which the file has none of the lines.
    void flush();

  private:
    std::filesystem::path file_;
    int fd_ = -1;
    std::string lines_;
};

} // namespace semel::gateways
