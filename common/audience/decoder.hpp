#pragma once
// Plain, gzip (RFC 1952, several members) or zstd (RFC 8878, several frames), told apart by their first bytes. Pure.

#include <audience/limits.hpp>
#include <audience/stream.hpp>

#include <memory>

namespace semel::audience {

/// Decoded pieces of at most 64 KiB, however far the input expands. Malformed: damaged data, data cut off, something
/// else after the end, or an archive that is none of the three; the text says what to do.
class decoder {
  public:
    /// Malformed as well: more than `most` decoded bytes, whatever the format.
    explicit decoder(byte_stream encoded, std::uint64_t most = limits{}.decoded);
    ~decoder();
    decoder(decoder&&) noexcept;
    decoder& operator=(decoder&&) noexcept;

    /// As byte_stream.
    base::result<std::string_view> next();

    struct codec;

  private:
    base::result<std::string_view> counted(std::string_view decoded);

    byte_stream encoded_;
    std::unique_ptr<codec> codec_;
    std::uint64_t left_; // decoded bytes that may come
    std::uint64_t most_;
    bool started_ = false;
    std::string head_; // the first bytes, until there are enough to tell the format
};

} // namespace semel::audience
