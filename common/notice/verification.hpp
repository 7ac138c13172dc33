#pragma once
// What a notice gives to whoever asks whether it is genuine: the place of its code, and its texts as everybody may read
// them, which is to say without what is somebody's. Pure.

#include <base/ids.hpp>
#include <notice/source.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// Whether {{name}} stands for the code: "verification" does, unless the notice has a slot of its own of that name.
bool stands_for_code(const notice_source&, std::string_view name);
/// Whether what is sent on this channel in this locale shows its code.
bool shows_code(const notice_source&, const std::string& locale, base::channel);

/// Where each person's own words stand.
inline constexpr std::string_view blank = "____";

struct public_text {
    std::string name;                  // the notice's title
    std::string heading;               // of an email its subject, of a push its first line; an SMS has none
    std::string body;                  // what people of no segment read, as plain text with LF
    std::vector<std::string> passages; // what each segment adds to it; those that add nothing are left out
};
/// Of a locale and channel that the notice has. `code` stands where it stands in the messages.
public_text public_text_of(const notice_source&, const std::string& locale, base::channel, std::string_view code);

} // namespace semel::notice
