#pragma once
// Lists that are as long as a campaign has people. They are read with a cursor and sent page by page, on connections of
// their own, and each user reads a few at once: whatever they take, the steps that stop a campaign do not wait for
// them.

#include <crypto/campaign_key.hpp>

#include <api/core/lookups.hpp>
#include <api/edge/api.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

/// What a list shows of people. Each reading is noted (lookups.hpp), with how many it has.
struct people_shown {
    looked_at what;
    std::string count; // a query of one number; $1: the campaign's id
};

struct list_form {
    std::string content_type = "application/json";
    std::string head = "[", between = ",", foot = "]";
    std::string query;                                 // $1: the campaign's id
    std::function<std::string(const pqxx::row&)> line; // called on a thread of the pool; owns what it uses
    std::optional<people_shown> shows = {};            // nothing: it has no recipients in it
};
using list_maker = std::function<list_form(pqxx::work&, const v1::Campaign&, const crypto::campaign_key&)>;

/// 410 when the campaign's key is gone.
user_handler long_list(services&, list_maker);
/// The same for a list without personal data, which needs no key.
user_handler long_list(services&, list_form);

/// A place among the user's long reads, or the answer that tells why there is none.
struct admission {
    std::shared_ptr<const void> place;
    http::response refusal;
};
admission admit(services&, const user&);

} // namespace semel::api
