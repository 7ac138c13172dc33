#include "rejects_file.hpp"

#include <stdexcept>

namespace semel::intake {

rejects_file::rejects_file(std::filesystem::path file)
    : file_(std::move(file))
    , part_(file_.string() + ".part") {
    std::filesystem::create_directories(file_.parent_path());
    out_.open(part_, std::ios::binary | std::ios::trunc);
    out_ << audience::rejects_header();
    check();
}

rejects_file::~rejects_file() {
    if (out_.is_open()) { // never finished
        out_.close();
        std::error_code ignored;
        std::filesystem::remove(part_, ignored);
    }
}

void rejects_file::write(const std::vector<audience::reject>& rejects) {
    for (const auto& reject : rejects) {
        out_ << audience::to_csv(reject);
    }
    check();
}

void rejects_file::finish() {
    out_.close();
    check();
    std::filesystem::rename(part_, file_);
}

void rejects_file::check() const {
    if (!out_) {
        throw std::runtime_error{"cannot write " + part_.string() + ": is the disk full, or the folder not writable?"};
    }
}

} // namespace semel::intake
