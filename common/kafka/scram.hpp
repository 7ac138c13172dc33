#pragma once
// The client's half of SCRAM (RFC 5802; SHA-256 in RFC 7677, SHA-512 as Kafka speaks it). Pure but for the nonce, which
// the caller brings.

#include <base/fault.hpp>

#include <string>
#include <string_view>

namespace semel::kafka {

class scram {
  public:
    enum class hash : unsigned char { sha_256, sha_512 };

    /// `nonce`: printable, without commas, never used before.
    scram(hash, std::string user, std::string password, std::string nonce);

    /// client-first-message
    std::string first() const;
    /// client-final-message. Refuses a server that did not take our nonce, or asks for an absurd amount of work.
    base::result<std::string> answer(std::string_view server_first);
    /// Whether the server knows the password too: whoever does not could have said yes to anything.
    base::result<void> check(std::string_view server_final) const;

  private:
    hash hash_;
    std::string user_, password_, nonce_;
    std::string server_signature_; // base64, as it must come
};

} // namespace semel::kafka
