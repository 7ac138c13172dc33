#pragma once
// Plain, gzip (RFC 1952, several members) or zstd (RFC 8878, several frames), told apart by their first bytes. Pure.

#include <audience/stream.hpp>

#include <memory>

namespace semel::audience {

/// Decoded pieces of at most 64 KiB, however far the input expands. Malformed: damaged data, data cut off, something
/// else after the end, or an archive that is none of the three; the text says what to do.
class decoder {
  public:
    explicit decoder(byte_stream encoded);
    ~decoder();
    decoder(decoder&&) noexcept;
    decoder& operator=(decoder&&) noexcept;

    /// As byte_stream.
    base::result<std::string_view> next();

    struct codec;

  private:
    byte_stream encoded_;
    std::unique_ptr<codec> codec_;
    bool started_ = false;
    std::string head_; // the first bytes, until there are enough to tell the format
};

} // namespace semel::audience
