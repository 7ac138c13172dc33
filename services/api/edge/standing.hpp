#pragma once
// What stands still, as the processes tell it: warnings and lanes of `status`.

#include <http/json.hpp>
#include <semel/v1/campaign.pb.h>

#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>
#include <trouble/trouble.hpp>

#include <memory>
#include <string>
#include <vector>

namespace semel::api {

struct standing {
    std::vector<trouble::report> reports;
    std::string unknown;                  // why nothing can be said
    std::vector<std::string> unencrypted; // the wires that the settings leave open
};

/// Never waits for long: the api works without Redis.
boost::asio::awaitable<std::shared_ptr<const standing>> look_at_standing(services&);

/// Adds to the object's `warnings` what concerns the campaign, and `lanes`.
void tell_standing(json::object& status, const v1::Campaign&, const standing&);

} // namespace semel::api
