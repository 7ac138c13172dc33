#pragma once
// Pure. Turns the bytes of a mail as Semel sent it into what a person reads: headers decoded, the text part alone.

#include <optional>
#include <string>
#include <string_view>

namespace semel::cli::campaign {

/// Nothing if `mail` is not of the form that common/notice/email_message.hpp writes: the caller then shows the bytes.
std::optional<std::string> readable_mail(std::string_view mail);

} // namespace semel::cli::campaign
