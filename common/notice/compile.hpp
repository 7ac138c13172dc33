#pragma once
// A checked notice becomes artifacts: one for each (locale, channel, set of segments), and for each set that is not
// empty a supplement, which says only what those segments add. Pure.

#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <notice/source.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/campaign.pb.h>

#include <string>
#include <vector>

namespace semel::notice {

struct compiled {
    v1::ArtifactRef ref; // its artifact field is the SHA-256 of `bytes`
    v1::Artifact artifact;
    std::string bytes; // what goes to `artifacts`: deterministic for one build of protobuf
};

/// In the order of locales, channels and segment sets. The notice must have passed check(): what that refuses has no
/// meaning here.
std::vector<compiled> compile(const notice_source&, const crypto::digest& notice_digest);

/// One of them. bit i of `segments` is segments[i].
v1::Artifact compile_one(const notice_source&, const crypto::digest& notice_digest, const std::string& locale,
                         base::channel, std::uint32_t segments, bool supplement);

base::artifact_id id_of(std::string_view artifact_bytes);
std::string serialize(const v1::Artifact&);

} // namespace semel::notice
