// What strangers send to the page that checks notices: its form, and what a browser says of languages. A code that was
// read is read again as itself, and a page holds only its own tags.

#include <http/url.hpp>

#include <api/core/verify_page.hpp>
#include <correlation/verification_code.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace semel;

void read_code(std::string_view typed) {
    const auto code = correlation::verification_code::read(typed);
    if (!code) {
        return;
    }
    const auto again = correlation::verification_code::read(code->grouped());
    if (again != code || code->letters().size() != correlation::verification_code::letters_in_all) {
        std::abort();
    }
}

std::string page_of(api::verify_page::language language, const std::string& text) {
    return api::verify_page::known(language, {.organisation = text, .contact = {text}},
                                   {.code = text,
                                    .organisation = text,
                                    .channel = base::channel::sms,
                                    .locale = text,
                                    .since = {},
                                    .name = text,
                                    .heading = text,
                                    .body = text,
                                    .passages = {text},
                                    .contact = {text}});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(data), size};
    if (const auto form = http::parse_query(text)) {
        for (const auto& [name, value] : *form) {
            read_code(value);
        }
    }
    read_code(text);
    const auto language = api::verify_page::language_of("", text);
    for (const char mark : {'<', '>', '"'}) { // of no more tags and attributes than with a harmless text
        if (std::ranges::count(page_of(language, "x" + text), mark) !=
            std::ranges::count(page_of(language, "x"), mark)) {
            std::abort();
        }
    }
    return 0;
}
