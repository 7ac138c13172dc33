#pragma once
// A message rendered again from the record, as an auditor wants it: the same bytes, the same hash.

#include <base/fault.hpp>
#include <crypto/campaign_key.hpp>
#include <notice/content.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <string>
#include <string_view>

namespace semel::api {

/// The code that stands in every message of this artifact.
std::string verification_of(const v1::Campaign&, const crypto::campaign_key&, const v1::Artifact&);

/// Compiles the stored notice anew, finds the artifact by its hash and the address by the notification's id.
base::result<notice::content> render_again(const v1::Campaign&, const v1::NoticeSource&, const crypto::campaign_key&,
                                           const v1::Recipient&, const std::string& notification,
                                           const std::string& artifact);

/// A part as text: an SMS decoded, anything else as it is.
std::string printable(const std::string& part, std::uint8_t data_coding, std::string_view channel);

} // namespace semel::api
