#pragma once
// Bytes pulled through stages: sealed file -> decoder -> row reader. Every stage holds one piece at a time, so memory
// is flat whatever the size of the file.

#include <base/fault.hpp>

#include <functional>
#include <string_view>

namespace semel::audience {

/// The next piece; empty at the end, and again ever after. A piece is valid until the next call.
using byte_stream = std::function<base::result<std::string_view>()>;

} // namespace semel::audience
