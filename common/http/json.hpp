#pragma once
// JSON is Boost.JSON, compiled once in json.cpp. `semel::json` is its namespace's name here.

#include <base/fault.hpp>

#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace semel::json {

using namespace boost::json; // value, object, array, serialize(), value_to<>(), ...

/// RFC 8259, at most 32 levels deep. `malformed` says at which byte.
base::result<value> read(std::string_view text);
/// The same; also `malformed` when an object has a member twice. Readers differ on which of them holds, so what was
/// signed or checked by one reader may say something else to another.
base::result<value> read_unique(std::string_view text);
/// The member as text; nullptr when it is absent or no string.
const string* find_text(const object&, std::string_view key);
/// Indented by two spaces, for people.
std::string pretty(const value&);

} // namespace semel::json
