#pragma once
// SMTP replies (RFC 5321 section 4.2, RFC 2034). Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::email {

/// RFC 3463, "5.1.1".
struct enhanced_status {
    std::uint8_t major = 0;
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;
    friend bool operator==(const enhanced_status&, const enhanced_status&) = default;
};

struct reply {
    int code = 0;                          // 200..599
    std::optional<enhanced_status> status; // only when its class agrees with the code
    std::vector<std::string> lines;        // without code, separator, line end; the enhanced status is kept in them

    bool positive() const noexcept { return code >= 200 && code < 300; }
    bool temporary() const noexcept { return code >= 400 && code < 500; }
    bool refused() const noexcept { return code >= 500; }
    /// "550 5.1.1", or "550".
    std::string short_code() const;
    /// The lines' texts without the enhanced status, joined by a space. May hold an address: see scrubbed().
    std::string text() const;
};

/// Finds "d.d{1,3}.d{1,3}" at the start of the text; nothing unless a space or the end follows.
std::optional<enhanced_status> leading_status(std::string_view text) noexcept;

/// Cuts replies out of a stream. A reply exists only once its last line is complete, line end included: what a
/// connection loses half-way is not an answer. RFC 5321 allows 512 bytes a line; more is tolerated up to `limit`.
class reply_parser {
  public:
    static constexpr std::size_t limit = 4096; // of one reply, all its lines

    /// Appends what the peer sent.
    void feed(std::string_view bytes);
    /// The next whole reply. Once malformed() there are no more.
    std::optional<reply> next();
    /// A line that is not a reply, codes that differ inside one reply, or a reply over the limit. The stream cannot be
    /// trusted any longer.
    bool malformed() const noexcept { return malformed_; }
    /// Bytes that belong to no finished reply, or to replies that were not taken yet.
    std::size_t pending() const noexcept { return buffer_.size() - at_; }
    void clear();

  private:
    std::string buffer_;
    std::size_t at_ = 0;      // start of the reply being read
    std::size_t scanned_ = 0; // start of the line being read
    reply building_;
    bool malformed_ = false;

    bool take_line(std::string_view line); // true: the reply is complete
};

} // namespace semel::email
