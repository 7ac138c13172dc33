#pragma once
// A lane's adaptive limits: one for the gateway, and one for each recipient domain that alone is refused as too fast,
// so that a large provider's throttling slows nobody else down. Pure.

#include <delivery/core/adaptive_limit.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::delivery {

class lane_pace {
  public:
    struct policy {
        adaptive_limit::policy limits{};
        double concentrated =
            1.5; ///< times its part of the traffic: a domain's part of the refusals, when it is its own
        std::size_t domains = 1'000;                         ///< remembered
        base::duration half_life = std::chrono::seconds{10}; ///< of what is known about them
    };
    lane_pace() = default;
    explicit lane_pace(policy p)
        : policy_(p)
        , gateway_(p.limits) {}

    /// `domain` is empty where the channel has none.
    void accepted(std::string_view domain, base::instant sent, base::instant now);
    void throttled(std::string_view domain, base::instant sent, base::instant now);

    /// The wait for a place in line of the gateway and of the domain; nothing when that is longer than `most`.
    std::optional<base::duration> take(std::string_view domain, base::instant now, base::duration most);

    /// Messages a second; nothing while the gateway takes what it gets.
    std::optional<double> limit() const noexcept { return gateway_.limit(); }
    struct slow_domain {
        std::string name;
        double per_second = 0;
        double answers = 0; ///< lately
    };
    /// The slowest first.
    std::vector<slow_domain> slow_domains() const;

  private:
    struct tally {
        double answers = 0;
        double refusals = 0;
    };
    struct part {
        tally recent;
        adaptive_limit limit;
    };
    void fade(base::instant now);
    part* part_of(std::string_view domain);
    bool is_its_own(const part&) const noexcept;

    policy policy_;
    adaptive_limit gateway_;
    std::map<std::string, part, std::less<>> parts_;
    tally all_;
    base::instant faded_{};
};

} // namespace semel::delivery
