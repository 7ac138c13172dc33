#pragma once
// An upload as it lies on disk: sealed under the campaign's key as it streams in, and openable only whole.
//
//   "SEMELUP1", then frames: u32 (big-endian) length of the sealed bytes, the sealed bytes.
//   Frame n (from 0) holds 64 KiB of the file, the last but one what is left; AAD "upload|CAMPAIGN|WAVE|n".
//   The last frame holds size (u64, big-endian) and SHA-256 of the file as given; AAD "upload|CAMPAIGN|WAVE|n|end".
//
// A file that lacks its last frame is cut off; frames cannot be swapped, dropped or moved to another wave. Blocking
// file I/O; one thread at a time.

#include <audience/stream.hpp>
#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>
#include <crypto/hash.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace semel::audience {

/// Whose upload it is; part of every frame's associated data.
struct upload_place {
    base::campaign_id campaign;
    std::uint32_t number = 0; // of the upload, in its campaign
};

/// Where an upload and its rejects lie, below the folders of uploads and of rejects. By their ids alone: a record names
/// no file. Throws std::logic_error for an id that is not one of ours, which must have been refused before.
std::filesystem::path upload_file(const upload_place&);
std::filesystem::path rejects_file(const upload_place&);
/// Lower-case letters, digits, - and _: what may be part of a file's name.
bool is_plain_id(std::string_view);

/// Renames what is durable, durably. What was in its place is gone.
base::result<void> put_in_place(const std::filesystem::path& whole, const std::filesystem::path& file);

/// Writes FILE.part and renames it in finish(). Destroyed before that, it removes the part.
class sealed_writer {
  public:
    static base::result<sealed_writer> create(const std::filesystem::path& file, const crypto::campaign_key&,
                                              upload_place);
    sealed_writer(sealed_writer&&) noexcept;
    sealed_writer& operator=(sealed_writer&&) noexcept;
    ~sealed_writer();

    base::result<void> write(std::string_view plain);
    /// Makes the file durable and visible; the SHA-256 of everything written. Call once, last.
    base::result<crypto::digest> finish();
    std::uint64_t size() const noexcept;

  private:
    struct impl;
    explicit sealed_writer(std::unique_ptr<impl>);
    std::unique_ptr<impl> impl_;
};

class sealed_reader {
  public:
    static base::result<sealed_reader> open(const std::filesystem::path& file, const crypto::campaign_key&,
                                            upload_place);

    /// As byte_stream. The end is only told after size and digest have been found right; malformed otherwise.
    base::result<std::string_view> next();
    /// Known after the end.
    const crypto::digest& digest() const noexcept { return digest_; }

  private:
    sealed_reader(std::ifstream, const crypto::campaign_key&, upload_place);

    std::unique_ptr<std::ifstream> file_;
    crypto::campaign_key key_;
    std::string place_;
    crypto::hasher hasher_;
    crypto::digest digest_{};
    std::string sealed_, plain_;
    std::uint64_t frame_ = 0, size_ = 0;
    bool ended_ = false;
};

} // namespace semel::audience
