#pragma once
// data/rejects/CAMPAIGN-WAVE.csv: line, column, reason, effect; never a value. Written beside and renamed when whole,
// so that a restart writes the same file again and nobody reads half of one. Its length is bounded: a last line counts
// what is not listed.

#include <audience/import.hpp>

#include <filesystem>
#include <fstream>

namespace semel::intake {

class rejects_file {
  public:
    /// Throws std::runtime_error when the disk does not take it.
    rejects_file(std::filesystem::path file, std::uint64_t most_listed);
    rejects_file(const rejects_file&) = delete;
    rejects_file& operator=(const rejects_file&) = delete;
    ~rejects_file();

    void write(const std::vector<audience::reject>&);
    void finish();

  private:
    void check() const;

    std::filesystem::path file_, part_;
    std::uint64_t left_; // lines that may still be written
    std::uint64_t not_listed_ = 0;
    std::ofstream out_;
};

} // namespace semel::intake
