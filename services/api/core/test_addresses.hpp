#pragma once
// Who may get a test: a test needs no second person, so it goes to nobody but addresses that somebody else has listed.
// They are kept as keyed hashes: who reads the database learns no address. Pure.

#include <address/address.hpp>
#include <crypto/key_ring.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace semel::api {

/// An address as a person writes it: a mailbox, a phone number with its country code, apns:TOKEN or fcm:TOKEN.
base::result<address::address> read_test_address(std::string_view written);

/// As the list keeps an address: its hash, behind four bytes that name the key. Under another key it is found by
/// nobody, and has to be listed anew.
std::string mark_of(const crypto::key_ring::named_key&, base::channel, std::string_view canonical);
/// As the list shows it: enough to know a colleague's by ("k...@example.com", "+8210...78", "fcm:abcd...").
std::string masked(std::string_view canonical);

class test_addresses {
  public:
    explicit test_addresses(crypto::key_ring::named_key with)
        : with_(std::move(with)) {}

    void add(std::string mark) { listed_.insert(std::move(mark)); }
    void add(base::channel channel, std::string_view canonical) { add(mark_of(with_, channel, canonical)); }
    bool has(base::channel channel, std::string_view canonical) const {
        return listed_.contains(mark_of(with_, channel, canonical));
    }

  private:
    crypto::key_ring::named_key with_;
    std::set<std::string> listed_;
};

} // namespace semel::api
