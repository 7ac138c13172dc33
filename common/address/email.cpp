#include "address.hpp"
#include "text.hpp"

#include <base/ascii.hpp>

#include <idn2.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace semel::address {
namespace {

// RFC 5321, section 4.5.3.1. The path's 256 octets include the angle brackets.
constexpr std::size_t longest_local = 64;
constexpr std::size_t longest_domain = 255;
constexpr std::size_t longest_mailbox = 254;

// RFC 5322's atext without "%" and "!": relays read those as source routes ("a%b@relay" goes on to b).
constexpr auto atext = [] {
    std::array<bool, 128> table{};
    for (char c = 'a'; c <= 'z'; ++c) {
        table[static_cast<std::size_t>(c)] = true;
    }
    for (char c = 'A'; c <= 'Z'; ++c) {
        table[static_cast<std::size_t>(c)] = true;
    }
    for (char c = '0'; c <= '9'; ++c) {
        table[static_cast<std::size_t>(c)] = true;
    }
    for (const char c : std::string_view{"#$&'*+-/=?^_`{|}~"}) {
        table[static_cast<std::size_t>(c)] = true;
    }
    return table;
}();

base::result<void> check_unicode_local(std::string_view local) {
    const auto size = static_cast<int32_t>(local.size());
    for (int32_t i = 0; i < size;) {
        UChar32 c = 0;
        U8_NEXT(local.data(), i, size, c);
        if (c < 0) {
            return refused("the part before @ is not UTF-8");
        }
        if (c < 0x80) {
            continue;
        }
        if (c == 0xff20) {
            return refused("it has a full-width @ sign: write the ASCII one");
        }
        const auto type = u_charType(c);
        if (u_isUWhiteSpace(c) || type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || type == U_UNASSIGNED ||
            type == U_PRIVATE_USE_CHAR) {
            return refused("the part before @ has an invisible or unassigned character");
        }
    }
    return {};
}

base::result<void> check_local(std::string_view local) {
    if (local.empty()) {
        return refused("nothing stands before the @");
    }
    if (local.size() > longest_local) {
        return refused("the part before @ is longer than 64 bytes");
    }
    if (local.front() == '"') {
        return refused("a quoted local part is not sent to");
    }
    bool ascii = true;
    char before = '.';
    for (const char c : local) {
        if (c == '.') {
            if (before == '.') {
                return refused("the part before @ has a dot at its start or two dots in a row");
            }
        } else if (static_cast<unsigned char>(c) >= 0x80) {
            ascii = false;
        } else if (c == '%' || c == '!') {
            return refused("% and ! before the @ are source routes, which are not sent to");
        } else if (!atext[static_cast<std::size_t>(c)]) {
            return refused("the part before @ has a character that no mailbox has");
        }
        before = c;
    }
    if (before == '.') {
        return refused("the part before @ ends with a dot");
    }
    return ascii ? base::result<void>{} : check_unicode_local(local);
}

/// Reads a domain in ASCII, character by character; each call says what is wrong with it by now, or nothing.
class domain_reader {
  public:
    using complaint = const char*; // null: none

    complaint take(char c) {
        if (const auto why = c == '.' ? end_label() : add_to_label(c)) {
            return why;
        }
        out_ += c;
        return nullptr;
    }
    complaint end() const {
        if (out_.empty() || out_.back() == '.') {
            return "the domain ends with a dot";
        }
        if (out_.back() == '-') {
            return "a label of the domain ends with a hyphen";
        }
        if (!dotted_) {
            return "the domain has no dot";
        }
        if (numeric_) {
            return "an IP address in place of a domain is not sent to";
        }
        return out_.size() > longest_domain ? "the domain is longer than 255 characters" : nullptr;
    }
    const std::string& read() const noexcept { return out_; }
    bool has_alabel() const noexcept { return alabel_; }

  private:
    complaint end_label() {
        if (label_ == 0) {
            return "the domain has an empty label (a dot too many)";
        }
        if (out_.back() == '-') {
            return "a label of the domain ends with a hyphen";
        }
        label_ = 0;
        dotted_ = true;
        numeric_ = true;
        return nullptr;
    }
    complaint add_to_label(char c) {
        if (!is_letter(c) && !is_digit(c) && c != '-') {
            return "the domain has a character that no domain has";
        }
        if (c == '-' && label_ == 0) {
            return "a label of the domain starts with a hyphen";
        }
        if (++label_ > 63) {
            return "a label of the domain is longer than 63 characters";
        }
        numeric_ = numeric_ && is_digit(c);
        alabel_ = alabel_ || (label_ == 4 && out_.ends_with("xn-"));
        return nullptr;
    }

    std::string out_;
    std::size_t label_ = 0; // characters of the present one
    bool dotted_ = false;
    bool numeric_ = true; // the last label
    bool alabel_ = false; // any label
};

/// The domain in lower case; it is all ASCII.
base::result<std::string> ascii_domain(std::string_view domain) {
    if (domain.front() == '[') {
        return refused("an IP address in place of a domain is not sent to");
    }
    domain_reader reader;
    for (const char c : domain) {
        if (const auto why = reader.take(lower(c))) {
            return refused(why);
        }
    }
    if (const auto why = reader.end()) {
        return refused(why);
    }
    if (reader.has_alabel()) {
        char* unicode = nullptr;
        const int rc = idn2_to_unicode_8z8z(reader.read().c_str(), &unicode, 0);
        const std::unique_ptr<char, decltype(&std::free)> hold{unicode, &std::free};
        if (rc != IDN2_OK) {
            return refused("the domain has an xn-- label that decodes to nothing");
        }
    }
    return reader.read();
}

base::result<std::string> domain_as_a_labels(std::string_view domain) {
    if (domain.empty()) {
        return refused("nothing stands after the @");
    }
    if (base::is_ascii(domain)) {
        return ascii_domain(domain);
    }
    if (domain.find('\0') != std::string_view::npos) {
        return refused("the domain has a character that no domain has");
    }
    const std::string given{domain};
    char* encoded = nullptr;
    const int rc = idn2_to_ascii_8z(given.c_str(), &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const std::unique_ptr<char, decltype(&std::free)> hold{encoded, &std::free};
    if (rc != IDN2_OK) {
        return refused("the domain is not a valid international domain name (IDNA 2008)");
    }
    return ascii_domain(encoded);
}

/// NFC and case folded: two spellings of one mailbox are equal. No provider that people use tells a mailbox from
/// another by case alone.
std::string folded(std::string_view local) {
    std::string out;
    if (base::is_ascii(local)) {
        out.reserve(local.size());
        for (const char c : local) {
            out += lower(c);
        }
        return out;
    }
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
    auto text = icu::UnicodeString::fromUTF8(icu::StringPiece{local.data(), static_cast<int32_t>(local.size())});
    text = nfc->normalize(nfc->normalize(text, status).foldCase(), status);
    text.toUTF8String(out);
    return out;
}

struct parts {
    std::string_view local;
    std::string domain; // A-labels, lower case
};

base::result<parts> split(std::string_view text) {
    if (text.empty()) {
        return refused("it is empty");
    }
    for (const char c : text) {
        if (is_control(c)) {
            return refused("it has a control character (a line break, a tab, NUL)");
        }
    }
    // A quoted local part may hold an @ of its own, and is refused whatever follows.
    const auto at = text.front() == '"' ? text.rfind('@') : text.find('@');
    if (at == std::string_view::npos) {
        return refused(text.find("\xef\xbc\xa0") == std::string_view::npos
                           ? "it has no @"
                           : "it has a full-width @ sign: write the ASCII one");
    }
    const auto local = text.substr(0, at);
    const auto domain = text.substr(at + 1);
    if (const auto ok = check_local(local); !ok) {
        return base::failed(ok.error());
    }
    if (domain.find('@') != std::string_view::npos) {
        return refused("it has more than one @");
    }
    auto encoded = domain_as_a_labels(domain);
    if (!encoded) {
        return base::failed(std::move(encoded.error()));
    }
    if (local.size() + 1 + encoded->size() > longest_mailbox) {
        return refused("it is longer than 254 characters");
    }
    return parts{.local = local, .domain = std::move(*encoded)};
}

} // namespace

base::result<address> email(std::string_view text) {
    text = trimmed(text);
    auto split_text = split(text);
    if (!split_text) {
        return base::failed(std::move(split_text.error()));
    }
    auto& [local, domain] = *split_text;
    std::string canonical = folded(local);
    if (domain == "gmail.com" || domain == "googlemail.com") {
        if (const auto tag = canonical.find('+'); tag != std::string::npos) {
            canonical.resize(tag);
        }
        std::erase(canonical, '.');
        if (canonical.empty()) {
            return refused("nothing but a +tag stands before the @");
        }
        domain = "gmail.com";
    }
    canonical += '@';
    canonical += domain;
    return address{base::channel::email, std::move(canonical), std::string{text}, {}};
}

} // namespace semel::address
