#include "rejects_file.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace semel::intake {

rejects_file::rejects_file(std::filesystem::path file, std::uint64_t most_listed)
    : file_(std::move(file))
    , part_(file_.string() + ".part")
    , left_(most_listed) {
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
        if (left_ == 0) {
            ++not_listed_;
            continue;
        }
        --left_;
        out_ << audience::to_csv(reject);
    }
    check();
}

void rejects_file::finish() {
    if (not_listed_ != 0) {
        out_ << fmt::format(",,\"and {} more, which are not listed: limits.listed_rejects in semel.yaml says how many "
                            "are\",\r\n",
                            not_listed_);
    }
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
