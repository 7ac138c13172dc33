#include "client.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace semel::redis {

script::script(std::string_view source)
    : source_(source) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(source_.data(), source_.size(), digest, &size, EVP_sha1(), nullptr) != 1) {
        throw std::runtime_error{"OpenSSL computes no SHA-1, which Redis names its scripts by"};
    }
    for (unsigned i = 0; i < size; ++i) {
        fmt::format_to(std::back_inserter(sha1_), "{:02x}", digest[i]);
    }
}

} // namespace semel::redis
