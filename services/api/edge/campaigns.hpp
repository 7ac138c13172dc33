#pragma once
// A campaign as its creator asks for it: checked, with a key of its own, and not stored yet.

#include <base/fault.hpp>
#include <crypto/key_ring.hpp>
#include <http/json.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/campaign.pb.h>

#include <string>
#include <vector>

namespace semel::api {

struct draft {
    v1::Campaign campaign;
    v1::NoticeSource notice;
    std::vector<std::string> warnings; // what a person should judge
};
/// Takes its time: the whole notice is checked.
base::result<draft> draft_of(const json::object& asked, const crypto::key_ring&);
/// What its creator is told.
json::object told_of(const draft&);

} // namespace semel::api
