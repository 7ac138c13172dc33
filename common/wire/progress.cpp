#include "progress.hpp"

#include <crypto/hash.hpp>

#include <fmt/format.h>

namespace semel::wire {

std::string intake_progress_key(const base::campaign_id& campaign, std::uint32_t upload) {
    return fmt::format("intake|{}|{}", campaign.value(), upload);
}

std::string register_progress_key(const base::campaign_id& campaign, std::uint32_t wave, std::int32_t partition) {
    return fmt::format("register|{}|{}|{}", campaign.value(), wave, partition);
}

std::string release_progress_prefix(const base::campaign_id& campaign) {
    return fmt::format("release|{}|", campaign.value());
}

std::string release_progress_key(const base::campaign_id& campaign, std::uint32_t wave, std::int32_t partition) {
    return fmt::format("{}{}|{}", release_progress_prefix(campaign), wave, partition);
}

std::string behind_progress_prefix(const base::campaign_id& campaign) {
    return fmt::format("behind|{}|", campaign.value());
}

std::string behind_progress_key(const base::campaign_id& campaign, std::uint32_t wave, std::int32_t partition) {
    return fmt::format("{}{}|{}", behind_progress_prefix(campaign), wave, partition);
}

std::int32_t progress_partition(std::string_view key, std::int32_t partitions) {
    const auto digest = crypto::sha256(key);
    return base::partition_of(base::as_view(digest), partitions);
}

} // namespace semel::wire
