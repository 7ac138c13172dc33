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
        double start = 50; ///< submissions a second that a gateway nobody knows gets at first
        double concentrated =
            1.5; ///< times its part of the traffic: a domain's part of the refusals, when it is its own
        std::size_t domains = 1'000;                         ///< remembered
        base::duration half_life = std::chrono::seconds{10}; ///< of what is known about them
    };
    lane_pace()
        : lane_pace(policy{}) {}
    explicit lane_pace(policy);

    /// Accepted, or refused for another reason than the pace. `domain` is empty where the channel has none.
    void accepted(std::string_view domain, base::instant sent, base::instant now, submissions = {.accepted = 1});
    void throttled(std::string_view domain, base::instant sent, base::instant now, submissions = {.refused = 1});

    /// The wait for the domain's next place in line, which is taken; nothing when that is longer than `most`.
    std::optional<base::duration> take_of(std::string_view domain, base::instant now, base::duration most);
    /// The gateway's, for a message of so many submissions; and for those of one that are made again.
    std::optional<base::duration> take(base::instant now, base::duration most, unsigned places = 1);
    base::duration take_rest(base::instant now, unsigned places);

    /// Messages a second; nothing while the gateway takes what it gets.
    std::optional<double> limit() const noexcept;
    /// How many the lane may hold: what goes out in two seconds, in which the slowest dialogue has its answer. More
    /// would only wait for their place in line.
    std::size_t room() const noexcept;
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
    unsigned each_ = 1; // submissions a message, as the last one had them
    base::instant faded_{};
};

} // namespace semel::delivery
