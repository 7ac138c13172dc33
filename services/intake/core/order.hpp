#pragma once
// An ImportOrder, checked: what the rest of intake may rely on. Pure.

#include <audience/import.hpp>
#include <audience/sealed_file.hpp>
#include <crypto/hash.hpp>
#include <crypto/key_ring.hpp>

#include <optional>

namespace semel::intake {

struct order {
    base::campaign_id campaign;
    std::uint32_t number = 0; // of the upload
    audience::format format = audience::format::csv;
    std::optional<crypto::digest> file_digest;
    crypto::campaign_key key;
    audience::terms terms;
    std::uint64_t cut_after_row = 0; // a chunk ends with this row; 0: anywhere

    audience::upload_place place() const { return {campaign, number}; }
};

/// malformed: why the order cannot be carried out, for the one who uploaded.
base::result<order> read_order(const v1::ImportOrder&, const crypto::key_ring& keys);

} // namespace semel::intake
