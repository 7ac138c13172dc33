#pragma once
// The table behind the page that checks notices: for each text that went out with a code what everybody may read of
// it, and nothing else. Whoever serves the page apart from the api needs this table alone.

#include <crypto/campaign_key.hpp>
#include <crypto/key_ring.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/campaign.pb.h>

#include <api/core/verify_page.hpp>
#include <correlation/verification_code.hpp>

#include <optional>

#include <pqxx/pqxx>

namespace semel::api {

/// Once a wave is launched its texts are on their way, and their codes are known from the same moment on. What was
/// noted before stays: texts never change. Without its key a campaign sends nothing, and gets no codes.
void note_verifiable(pqxx::work&, const crypto::key_ring&, const v1::Campaign& before, const v1::Campaign& after);

std::optional<verify_page::sent_notice> find_verifiable(pqxx::work&, const correlation::verification_code&);

} // namespace semel::api
