#pragma once
// What this process writes to standard error meanwhile: the logs of all simulated processes. Passed on in the end.

#include <string>
#include <string_view>

namespace semel::simulation {

class overhearing {
  public:
    overhearing();
    overhearing(const overhearing&) = delete;
    overhearing& operator=(const overhearing&) = delete;
    ~overhearing();

    bool heard(std::string_view words) const { return so_far().contains(words); }

  private:
    std::string so_far() const;

    int true_one_; // where standard error goes otherwise
    int kept_;     // a file in memory
};

} // namespace semel::simulation
