#pragma once
// What an audience file asks of each channel: its messages after everybody was found once, as plan finds them
// (docs/decisions/0002-one-address-one-message.md). Addresses are kept as 64-bit hashes, sorted at the end: some eight
// bytes an address, and two people in a whole country may be taken for one, which a forecast can bear. Pure.

#include <base/ids.hpp>
#include <semel/v1/audience.pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace semel::cli::plan {

/// A part of a channel that may have a limit of its own: a push transport, a domain of email; "": all the rest.
using part = std::pair<base::channel, std::string>;

struct part_load {
    std::uint64_t addresses = 0; // usable ones, of all rows
    std::uint64_t messages = 0;
};

struct load {
    std::uint64_t repeated = 0; // further rows of the same recipient id
    std::map<part, part_load> parts;
};

enum class dedup : unsigned char { address, account };

class load_counter {
  public:
    /// `domains`: those that are counted by themselves, in lower case.
    load_counter(std::set<std::string, std::less<>> domains, std::vector<base::channel> channels, dedup by);
    void add(const v1::Recipient&);
    /// Call once, last.
    load finish();

  private:
    part part_of(base::channel, const v1::Address&) const;

    std::set<std::string, std::less<>> domains_;
    std::set<base::channel> channels_;
    dedup by_;
    std::vector<std::uint64_t> ids_;
    std::map<part, std::vector<std::uint64_t>> messages_;
};

} // namespace semel::cli::plan
