#include "long_reads.hpp"

namespace semel::api {

std::shared_ptr<const void> long_reads::enter(const std::string& user) {
    auto& count = (*reading_)[user];
    if (count == most) {
        return nullptr;
    }
    ++count;
    return {this, [reading = reading_, user](const void*) {
                const auto found = reading->find(user);
                if (--found->second == 0) {
                    reading->erase(found);
                }
            }};
}

} // namespace semel::api
