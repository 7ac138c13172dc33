#pragma once
// Texts of people and of files in the one form that is compared and sent. Pure. Every text is valid UTF-8 already.

#include <string>
#include <string_view>

namespace semel::unicode {

/// Canonical composition (NFC). A name that was typed on a Mac comes as loose jamo or as a letter and an accent; some
/// telephones show that as pieces, and an SMS pays for each of them.
std::string composed(std::string_view text);

/// Only for comparing names that people spell as they like: case, width and composition are one, and nothing but
/// letters and digits is left. "E-Mail", "e_mail" and "\u00a0EMAIL" are "email".
std::string folded(std::string_view text);

/// Without white space at either end, as Unicode has it (no-break and ideographic spaces too), and without what is
/// not even seen: byte order marks and zero-width spaces.
std::string_view trimmed(std::string_view text) noexcept;

} // namespace semel::unicode
