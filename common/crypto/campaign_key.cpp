#include "campaign_key.hpp"

#include "derive.hpp"

namespace semel::crypto {

campaign_key::campaign_key(const key256& bytes, scheme how)
    : bytes_(bytes)
    , how_(how)
    , sealing_(how == scheme::same ? bytes : derive(bytes, "semel campaign: seal"))
    , hashing_(how == scheme::same ? bytes : derive(bytes, "semel campaign: hash"))
    , verifying_(derive(bytes, "semel campaign: verify")) {}

campaign_key campaign_key::random() {
    return campaign_key{key256::random()};
}

} // namespace semel::crypto
