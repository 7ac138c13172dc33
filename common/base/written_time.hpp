#pragma once
// What to tell somebody who wrote a time that from_rfc3339() does not take. Such a time has a zone ("Z", "+09:00", or
// "+0900" as date(1) writes it), and there is no hour 24: midnight is 00:00 of the next day.

#include <string>
#include <string_view>

namespace semel::base {

/// Why, and how to write it.
std::string trouble_with_rfc3339(std::string_view text);

} // namespace semel::base
