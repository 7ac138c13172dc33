#include <email/core/envelope.hpp>
#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <memory>

namespace semel::email {

namespace {

using base::fault;

bool ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

base::result<std::string> a_label(std::string_view domain) {
    if (ascii(domain)) {
        return std::string{domain};
    }
    char* raw = nullptr;
    const int rc = idn2_to_ascii_8z(std::string{domain}.c_str(), &raw, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    const std::unique_ptr<char, decltype(&idn2_free)> owner{raw, idn2_free};
    if (rc != IDN2_OK) {
        return base::failed(fault::kind::permanent,
                            fmt::format("the address's domain has no ASCII form: {}", idn2_strerror(rc)));
    }
    return std::string{raw};
}

bool printable(std::string_view text) noexcept {
    return std::ranges::none_of(text, [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u < 0x20 || u == 0x7F;
    });
}

/// A dot-string or a quoted string whose quotes and backslashes are escaped.
bool well_formed_local_part(std::string_view local) noexcept {
    if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
        const auto inner = local.substr(1, local.size() - 2);
        for (std::size_t i = 0; i < inner.size(); ++i) {
            if (inner[i] == '"' || (inner[i] == '\\' && ++i == inner.size())) {
                return false;
            }
        }
        return true;
    }
    return local.find_first_of(" ()<>[]:;@\\,\"") == std::string_view::npos;
}

} // namespace

base::result<envelope> make_envelope(std::string_view recipient, std::string_view return_path,
                                     std::string envelope_id) {
    const auto at = recipient.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == recipient.size()) {
        return base::failed(fault::kind::permanent, "the address is not local-part@domain");
    }
    const auto local = recipient.substr(0, at);
    if (local.size() > 64) {
        return base::failed(fault::kind::permanent,
                            "the address's local part is over 64 bytes (RFC 5321 section 4.5.3.1)");
    }
    if (!printable(recipient) || !well_formed_local_part(local)) {
        return base::failed(fault::kind::permanent, "the address holds a character that SMTP does not allow there");
    }
    auto domain = a_label(recipient.substr(at + 1));
    if (!domain) {
        return base::failed(domain.error());
    }
    if (domain->size() > 255 || domain->find_first_of(" <>\",;@()\\") != std::string::npos) {
        return base::failed(fault::kind::permanent, "the address's domain is not one that SMTP can carry");
    }
    if (!printable(return_path) || return_path.find_first_of(" <>") != std::string_view::npos) {
        return base::failed(fault::kind::broken, "the return path holds a character that SMTP does not allow; "
                                                 "correct the notice's sender or return_path_domain");
    }
    envelope out;
    out.return_path = return_path;
    out.recipient = fmt::format("{}@{}", local, *domain);
    out.envelope_id = std::move(envelope_id);
    out.needs_utf8 = !ascii(local) || !ascii(return_path);
    return out;
}

std::string xtext(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 8);
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (u < 0x21 || u > 0x7E || c == '+' || c == '=') {
            fmt::format_to(std::back_inserter(out), "+{:02X}", u);
        } else {
            out += c;
        }
    }
    return out;
}

} // namespace semel::email
