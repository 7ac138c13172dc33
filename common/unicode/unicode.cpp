#include "unicode.hpp"

#include <base/ascii.hpp>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <stdexcept>

namespace semel::unicode {
namespace {

icu::StringPiece piece_of(std::string_view text) {
    return {text.data(), static_cast<int32_t>(text.size())};
}

void must(UErrorCode code) {
    if (U_FAILURE(code)) {
        throw std::runtime_error{std::string{"ICU cannot normalise a text: "} + u_errorName(code)};
    }
}

std::string normalised(const icu::Normalizer2& form, std::string_view text) {
    std::string out;
    icu::StringByteSink<std::string> sink{&out};
    UErrorCode code = U_ZERO_ERROR;
    form.normalizeUTF8(0, piece_of(text), sink, nullptr, code);
    must(code);
    return out;
}

bool is_blank(UChar32 c) noexcept {
    return u_isUWhiteSpace(c) != 0 || c == 0x200b || c == 0x2060 || c == 0xfeff;
}

} // namespace

std::string composed(std::string_view text) {
    if (base::is_ascii(text)) {
        return std::string{text};
    }
    UErrorCode code = U_ZERO_ERROR;
    const auto* form = icu::Normalizer2::getNFCInstance(code);
    must(code);
    const bool already = form->isNormalizedUTF8(piece_of(text), code) != 0;
    must(code);
    return already ? std::string{text} : normalised(*form, text);
}

std::string folded(std::string_view text) {
    UErrorCode code = U_ZERO_ERROR;
    const auto* form = icu::Normalizer2::getNFKCCasefoldInstance(code);
    must(code);
    const auto whole = normalised(*form, text);
    std::string out;
    const auto size = static_cast<int32_t>(whole.size());
    for (int32_t i = 0; i < size;) {
        const auto from = i;
        UChar32 c = 0;
        U8_NEXT(whole.data(), i, size, c);
        constexpr auto marks = U_GC_M_MASK; // a vowel sign is part of its letter
        if (c >= 0 && (u_isalnum(c) != 0 || (U_GET_GC_MASK(c) & marks) != 0)) {
            out.append(whole, static_cast<std::size_t>(from), static_cast<std::size_t>(i - from));
        }
    }
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto size = static_cast<int32_t>(text.size());
    int32_t from = 0;
    while (from < size) {
        auto after = from;
        UChar32 c = 0;
        U8_NEXT(text.data(), after, size, c);
        if (!is_blank(c)) {
            break;
        }
        from = after;
    }
    int32_t to = size;
    while (to > from) {
        auto before = to;
        UChar32 c = 0;
        U8_PREV(text.data(), from, before, c);
        if (!is_blank(c)) {
            break;
        }
        to = before;
    }
    return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
}

} // namespace semel::unicode
