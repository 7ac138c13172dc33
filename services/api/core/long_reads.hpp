#pragma once
// How many long lists each user reads at once: what one person asks for must leave room for the others. Pure; one
// strand.

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace semel::api {

class long_reads {
  public:
    static constexpr std::size_t most = 2; // for each user

    /// A place, kept until the last copy of the pointer is gone; null: the user has them all.
    std::shared_ptr<const void> enter(const std::string& user);

  private:
    // Shared with the places: an answer under way may outlive everything else at a stop.
    std::shared_ptr<std::map<std::string, std::size_t>> reading_ =
        std::make_shared<std::map<std::string, std::size_t>>();
};

} // namespace semel::api
