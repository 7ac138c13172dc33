#pragma once
// Who may get a test: a test needs no second person, so it goes to nobody but addresses that somebody else has listed.
// Pure.

#include <address/address.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace semel::api {

/// An address as a person writes it: a mailbox, a phone number with its country code, apns:TOKEN or fcm:TOKEN.
base::result<address::address> read_test_address(std::string_view written);

class test_addresses {
  public:
    void add(base::channel channel, std::string canonical) { listed_.emplace(channel, std::move(canonical)); }
    bool has(base::channel channel, const std::string& canonical) const {
        return listed_.contains({channel, canonical});
    }

  private:
    std::set<std::pair<base::channel, std::string>> listed_;
};

} // namespace semel::api
