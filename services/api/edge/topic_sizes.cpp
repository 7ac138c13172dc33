#include "topic_sizes.hpp"

#include <wire/topics.hpp>

#include <utility>
#include <vector>

namespace semel::api {

base::result<topic_sizes> topic_sizes::read(kafka::admin& kafka) {
    topic_sizes sizes;
    std::vector<std::pair<std::string, std::int32_t*>> wanted{{std::string{wire::events}, &sizes.events},
                                                              {std::string{wire::intake_work}, &sizes.orders}};
    for (const auto channel : {base::channel::email, base::channel::push, base::channel::sms}) {
        wanted.emplace_back(wire::dispatch(channel), &sizes.dispatch[channel]);
    }
    for (const auto& [topic, size] : wanted) {
        const auto found = kafka.partitions(topic);
        if (!found) {
            return base::failed(found.error());
        }
        *size = *found;
    }
    return sizes;
}

} // namespace semel::api
