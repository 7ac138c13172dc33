#pragma once
// The public page on which people find out whether a notice is genuine, as HTML in Korean and English, without any
// script. It shows texts that were sent to many, never who got them. Whatever it is given is text: everything is
// escaped here. Pure.

#include <base/ids.hpp>
#include <base/time.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace semel::api::verify_page {

enum class language : unsigned char { korean, english };

/// `asked` is what a link of the page says ("ko", "en"); without it, the one of the two that the browser prefers.
language language_of(std::string_view asked, std::string_view accept_language);

/// Whose page it is: from semel.yaml.
struct house {
    std::string organisation;
    std::vector<std::string> contact;
};

/// A text that was sent to many, as everybody may read it.
struct sent_notice {
    std::string code; // in groups
    std::string organisation;
    base::channel channel = base::channel::email;
    std::string locale;
    base::timestamp since; // when the sending began
    std::string name, heading, body;
    std::vector<std::string> passages; // what some people's messages have besides
    std::vector<std::string> contact;  // as the notice itself says
};

std::string to_ask(language, const house&);
std::string known(language, const house&, const sent_notice&);
/// The same for every code that is not known, whether it could be one or not.
std::string unknown(language, const house&);
/// Nobody can say at the moment.
std::string out_of_order(language, const house&);

std::string_view style_sheet();

} // namespace semel::api::verify_page
