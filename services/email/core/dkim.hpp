#pragma once
// DKIM (RFC 6376, 8301, 8463): signs a message with rsa-sha256 or ed25519-sha256, relaxed/relaxed. From is signed once
// more than it stands there, so that nobody can add a second. No time stamp: both algorithms are deterministic, and the
// same message and key give the same bytes for every attempt. Pure.

#include <base/fault.hpp>
#include <crypto/signature.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace semel::email {

class dkim_signer {
  public:
    /// `broken` unless the key is RSA of at least 2,048 bits, or Ed25519.
    static base::result<dkim_signer> make(std::string domain, std::string selector, crypto::private_key);
    static base::result<dkim_signer> from_file(std::string domain, std::string selector, const std::filesystem::path&);

    /// "DKIM-Signature: ...\r\n", to stand before the message (RFC 5322, lines end in CRLF).
    base::result<std::string> header_for(std::string_view message) const;

    /// Where DNS must have the key: "SELECTOR._domainkey.DOMAIN".
    std::string record_name() const { return selector_ + "._domainkey." + domain_; }
    /// What stands there: "v=DKIM1; k=rsa; p=...".
    base::result<std::string> record() const;

  private:
    dkim_signer(std::string domain, std::string selector, crypto::private_key key)
        : domain_(std::move(domain))
        , selector_(std::move(selector))
        , key_(std::move(key)) {}

    std::string domain_, selector_;
    crypto::private_key key_;
};

/// The message with a signature of each in front; without signers as it is.
base::result<std::string> signed_by(std::span<const dkim_signer>, std::string_view message);

/// RFC 6376 section 3.4.2 and 3.4.4, for tests.
std::string relaxed_header(std::string_view field);
std::string relaxed_body(std::string_view body);

} // namespace semel::email
