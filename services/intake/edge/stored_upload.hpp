#pragma once
// A stored upload, opened for one reading: sealed file -> decoder -> importer. Blocking file reads in pieces of 64 KiB.

#include <intake/core/order.hpp>

#include <memory>

namespace semel::intake {

class stored_upload {
  public:
    static base::result<stored_upload> open(const std::filesystem::path& uploads, const order&,
                                            const audience::limits&);

    audience::importer& rows() noexcept { return rows_; }
    /// SHA-256 of the file as given; known after the last row.
    const crypto::digest& digest() const noexcept { return file_->digest(); }

  private:
    stored_upload(std::shared_ptr<audience::sealed_reader> file, audience::importer rows)
        : file_(std::move(file))
        , rows_(std::move(rows)) {}

    std::shared_ptr<audience::sealed_reader> file_;
    audience::importer rows_;
};

} // namespace semel::intake
