#pragma once
// The return path of each message: bounce+TOKEN@domain. The token names the notification and proves that Semel made
// it, so that nobody can forge a bounce; it does not contain the address. Pure.

#include <base/ids.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace semel::correlation {

/// The first 16 bytes of a notification id: enough to find it, and the local part stays under 64 characters.
using notification_prefix = base::byte_array<16>;

class verp {
  public:
    /// `key`: any bytes, 16 at least; the same for all dispatchers and for the one who reads the bounces.
    explicit verp(std::string key)
        : key_(std::move(key)) {}

    std::string return_path(const base::notification_id&, std::string_view domain) const;
    /// From a whole address or its local part, in any case (relays fold it). Nothing when it is not ours.
    std::optional<notification_prefix> decode(std::string_view return_path) const;

  private:
    std::string key_;
};

} // namespace semel::correlation
