#pragma once
// Until when the law wants people to be told. Pure.

#include <notice/source.hpp>

#include <chrono>

namespace semel::notice {

/// A duty that counts in hours from the moment when the organisation became aware.
struct legal_deadline {
    std::string jurisdiction;
    std::string law;
    std::chrono::hours within{};
    base::timestamp at;
    std::string delayed_by; // the law's ground, in words, when it moved `at` beyond the hours
};

/// The earliest of the notice's jurisdictions; nothing where none counts in hours for this kind of notice, or while a
/// ground that the law knows still delays it.
std::optional<legal_deadline> legal_deadline_of(const notice_source&);

/// Which jurisdiction's law knows the ground that notice.yaml names.
bool is_known_delay(const notice_source&);

} // namespace semel::notice
