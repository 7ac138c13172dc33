#include "dkim.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace semel::email {

namespace {

using base::failed;
using base::fault;
using key_kind = crypto::private_key::kind;

constexpr int least_rsa_bits = 2048; // RFC 8301: verifiers must take them, and smaller ones are falling out of use
constexpr std::size_t line_limit = 72;

// What a reader sees or a machine relies on. Those that a message lacks are left out, except From.
constexpr std::array<std::string_view, 12> headers{
    "from",         "to",           "subject",          "date",           "message-id", "in-reply-to", "references",
    "mime-version", "content-type", "content-language", "auto-submitted", "reply-to"};

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

/// Runs of blanks as one; none at the end.
std::string single_blanks(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!is_blank(c)) {
            out += c;
        } else if (out.empty() || out.back() != ' ') {
            out += ' ';
        }
    }
    while (out.ends_with(' ')) {
        out.pop_back();
    }
    return out;
}

/// The header fields with their folds, and the body.
struct parts {
    std::vector<std::string_view> fields; // each up to and with its last CRLF
    std::string_view body;
};
base::result<parts> parts_of(std::string_view message) {
    parts out;
    while (!message.starts_with("\r\n")) {
        auto end = message.find("\r\n");
        while (end != message.npos && end + 2 < message.size() && is_blank(message[end + 2])) {
            end = message.find("\r\n", end + 2);
        }
        if (end == message.npos || message.substr(0, end).find(':') == message.npos) {
            return failed(fault::kind::malformed, "the message to be signed has no header that ends in an empty line");
        }
        out.fields.push_back(message.substr(0, end + 2));
        message.remove_prefix(end + 2);
    }
    out.body = message.substr(2);
    return out;
}

std::string_view name_of(std::string_view field) {
    return field.substr(0, field.find(':'));
}

/// In lines of the usual length: a fold may stand wherever a tag's value may have blanks.
std::string folded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += line_limit) {
        out += "\r\n ";
        out += text.substr(i, line_limit);
    }
    return out;
}

} // namespace

std::string relaxed_header(std::string_view field) {
    const auto colon = field.find(':');
    auto name = field.substr(0, colon);
    while (!name.empty() && is_blank(name.back())) {
        name.remove_suffix(1);
    }
    std::string value;
    std::ranges::copy_if(field.substr(colon + 1), std::back_inserter(value),
                         [](char c) { return c != '\r' && c != '\n'; });
    value = single_blanks(value);
    return lower(name) + ":" + (value.starts_with(' ') ? value.substr(1) : value) + "\r\n";
}

std::string relaxed_body(std::string_view body) {
    std::string out;
    while (!body.empty()) {
        const auto end = body.find("\r\n");
        out += single_blanks(body.substr(0, end));
        out += "\r\n";
        body.remove_prefix(end == body.npos ? body.size() : end + 2);
    }
    while (out.ends_with("\r\n\r\n")) {
        out.resize(out.size() - 2);
    }
    return out == "\r\n" ? std::string{} : out;
}

base::result<dkim_signer> dkim_signer::make(std::string domain, std::string selector, crypto::private_key key) {
    const bool good = key.what() == key_kind::ed25519 || (key.what() == key_kind::rsa && key.bits() >= least_rsa_bits);
    if (!good) {
        return failed(fault::kind::broken,
                      fmt::format("a DKIM key is RSA of at least {} bits or Ed25519; make one with: openssl genpkey "
                                  "-algorithm ed25519",
                                  least_rsa_bits));
    }
    return dkim_signer{std::move(domain), std::move(selector), std::move(key)};
}

base::result<dkim_signer> dkim_signer::from_file(std::string domain, std::string selector,
                                                 const std::filesystem::path& file) {
    auto key = crypto::private_key::from_file(file);
    if (!key) {
        return failed(key.error());
    }
    auto signer = make(std::move(domain), std::move(selector), std::move(*key));
    return signer ? std::move(signer) : failed(signer.error().within(file.string()));
}

base::result<std::string> dkim_signer::header_for(std::string_view message) const {
    const auto of = parts_of(message);
    if (!of) {
        return failed(of.error());
    }
    std::string names, signed_bytes;
    for (const auto header : headers) {
        for (const auto field : of->fields) {
            if (lower(name_of(field)) == header) {
                names += (names.empty() ? "" : ":") + std::string{header};
                signed_bytes += relaxed_header(field);
                break; // a message of ours has each once
            }
        }
        if (header == "from") { // once more than there is
            names += names.empty() ? "from" : ":from";
        }
    }
    const bool rsa = key_.what() == key_kind::rsa;
    const auto body_hash = base::to_base64(base::as_view(crypto::sha256(relaxed_body(of->body))));
    auto out = fmt::format("DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n d={}; s={};\r\n h={};\r\n bh={};\r\n b=",
                           rsa ? "rsa-sha256" : "ed25519-sha256", domain_, selector_, names, body_hash);
    auto own = relaxed_header(out);
    own.resize(own.size() - 2); // its own field goes in without the CRLF
    signed_bytes += own;
    const auto signature = rsa ? key_.sign_rs256(signed_bytes)
                               : key_.sign_ed25519(base::as_view(crypto::sha256(signed_bytes))); // RFC 8463 section 3
    if (!signature) {
        return failed(signature.error());
    }
    return out + folded(base::to_base64(*signature)) + "\r\n";
}

base::result<std::string> dkim_signer::record() const {
    const auto bytes = key_.public_bytes();
    if (!bytes) {
        return failed(bytes.error());
    }
    return fmt::format("v=DKIM1; k={}; p={}", key_.what() == key_kind::rsa ? "rsa" : "ed25519",
                       base::to_base64(*bytes));
}

base::result<std::string> signed_by(std::span<const dkim_signer> signers, std::string_view message) {
    std::string out;
    for (const auto& signer : signers) {
        const auto header = signer.header_for(message);
        if (!header) {
            return failed(header.error());
        }
        out += *header;
    }
    out += message;
    return out;
}

} // namespace semel::email
