#pragma once
// data/rejects/CAMPAIGN-WAVE.csv: line, column, reason, effect; never a value. Written beside and renamed when whole,
// so that a restart writes the same file again and nobody reads half of one.

#include <audience/import.hpp>

#include <filesystem>
#include <fstream>

namespace semel::intake {

class rejects_file {
  public:
    /// Throws std::runtime_error when the disk does not take it.
    explicit rejects_file(std::filesystem::path file);
    rejects_file(const rejects_file&) = delete;
    rejects_file& operator=(const rejects_file&) = delete;
    ~rejects_file();

    void write(const std::vector<audience::reject>&);
    void finish();

  private:
    void check() const;

    std::filesystem::path file_, part_;
    std::ofstream out_;
};

} // namespace semel::intake
