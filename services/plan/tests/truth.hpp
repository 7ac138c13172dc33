#pragma once
// What must be released, by brute force from the words of the design and without any of the code under test.

#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace semel::plan::testing {

struct row {
    std::uint32_t wave = 1;
    v1::Recipient recipient;
};

/// One message: to which address, in which wave, by which row, notice or supplement, with which segments.
using message = std::tuple<std::string, std::uint32_t, std::uint64_t, bool, std::uint32_t>;

inline std::string name_of(const v1::Campaign& c, const v1::Recipient& r, const v1::Address& a) {
    const auto who = c.dedup() == v1::DEDUP_ACCOUNT ? r.recipient_id() + "/" : std::string{};
    return fmt::format("{}{}:{}", who, static_cast<int>(a.channel()), a.canonical());
}

/// The tests' campaigns use email and push.
inline bool counts(const v1::Address& a) {
    return a.channel() != v1::CHANNEL_SMS;
}

inline std::multiset<message> truth(const v1::Campaign& c, const std::vector<row>& rows) {
    struct use {
        std::uint64_t leader = 0;
        std::uint32_t segments = 0;
    };
    std::map<std::string, std::map<std::uint32_t, use>> uses;
    for (const auto& r : rows) {
        for (const auto& a : r.recipient.addresses()) {
            if (counts(a)) {
                auto& u = uses[name_of(c, r.recipient, a)][r.wave];
                u.leader = u.leader == 0 ? r.recipient.row() : std::min(u.leader, r.recipient.row());
                u.segments |= r.recipient.segments();
            }
        }
    }
    std::multiset<message> all;
    for (const auto& [name, by_wave] : uses) {
        std::uint32_t known = 0;
        bool first = true;
        for (const auto& [wave, u] : by_wave) {
            const auto fresh = u.segments & ~known;
            if (first || fresh != 0) {
                all.emplace(name, wave, u.leader, !first, first ? u.segments : fresh);
            }
            known |= u.segments;
            first = false;
        }
    }
    return all;
}

} // namespace semel::plan::testing
