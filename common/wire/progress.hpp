#pragma once
// Keys of the compacted topic `progress`, and the partition each key lives in. A key says who writes it; the writer
// puts the record into the transaction whose work it describes and reads it back after a restart.

#include <base/ids.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace semel::wire {

/// "intake|CAMPAIGN|UPLOAD"
std::string intake_progress_key(const base::campaign_id&, std::uint32_t upload);
/// "register|CAMPAIGN|WAVE|PARTITION", PARTITION of `audience`
std::string register_progress_key(const base::campaign_id&, std::uint32_t wave, std::int32_t partition);
/// "release|CAMPAIGN|WAVE|PARTITION", and its part before WAVE
std::string release_progress_prefix(const base::campaign_id&);
std::string release_progress_key(const base::campaign_id&, std::uint32_t wave, std::int32_t partition);
/// "behind|CAMPAIGN|WAVE|PARTITION", and its part before WAVE: what single channels lack of the above. It lies in the
/// partition of the release key and is written before it: whoever has read the one has read the other.
std::string behind_progress_prefix(const base::campaign_id&);
std::string behind_progress_key(const base::campaign_id&, std::uint32_t wave, std::int32_t partition);

/// base::partition_of the key's SHA-256.
std::int32_t progress_partition(std::string_view key, std::int32_t partitions);

} // namespace semel::wire
