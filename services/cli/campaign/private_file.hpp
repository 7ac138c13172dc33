#pragma once
// A file with people in it: readable by its owner alone, and in its place only once it is whole.

#include <base/fault.hpp>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

namespace semel::cli::campaign {

class private_file {
  public:
    /// "-" is standard output. What is there and is not a regular file (a pipe, /dev/null) is written as it is.
    static base::result<private_file> create(const std::string& path);
    private_file(private_file&&) noexcept;
    private_file& operator=(private_file&&) = delete;
    /// Leaves nothing behind unless it was kept.
    ~private_file();

    std::ostream& out();
    base::result<void> keep();

  private:
    explicit private_file(std::filesystem::path path)
        : path_(std::move(path)) {}
    base::fault trouble() const;

    std::filesystem::path path_;
    std::filesystem::path part_; // empty: written as it is
    std::ofstream file_;
};

} // namespace semel::cli::campaign
