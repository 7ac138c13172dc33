#pragma once
// Until when the law wants people to be told. Pure.

#include <notice/source.hpp>

#include <chrono>

namespace semel::notice {

/// A duty that counts in hours from the moment when the organisation became aware.
struct legal_deadline {
    std::string jurisdiction;
    std::chrono::hours within{};
    base::timestamp at;
};

/// The earliest of the notice's jurisdictions; nothing where none counts in hours for this kind of notice.
std::optional<legal_deadline> legal_deadline_of(const notice_source&);

} // namespace semel::notice
