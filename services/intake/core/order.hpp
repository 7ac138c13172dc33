#pragma once
// An ImportOrder, checked: what the rest of intake may rely on. Pure.

#include <audience/import.hpp>
#include <audience/sealed_file.hpp>
#include <crypto/hash.hpp>

#include <filesystem>
#include <optional>

namespace semel::intake {

struct order {
    base::campaign_id campaign;
    std::uint32_t number = 0;     // of the upload
    std::filesystem::path upload; // relative, without ".."
    audience::format format = audience::format::csv;
    std::optional<crypto::digest> file_digest;
    crypto::key256 key;
    audience::terms terms;

    audience::upload_place place() const { return {campaign, number}; }
    /// "c-x/2.csv" becomes "c-x-2.csv" in the folder of rejects.
    std::string rejects_name() const { return campaign.value() + "-" + std::to_string(number) + ".csv"; }
};

/// malformed: why the order cannot be carried out, for the one who uploaded.
base::result<order> read_order(const v1::ImportOrder&, const crypto::key256& key_encryption_key);

} // namespace semel::intake
