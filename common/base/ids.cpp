#include "ids.hpp"

namespace semel::base {

std::string_view to_string(channel c) noexcept {
    switch (c) {
    case channel::email:
        return "email";
    case channel::push:
        return "push";
    case channel::sms:
        return "sms";
    }
    return "unknown";
}

std::optional<channel> channel_from(std::string_view name) noexcept {
    if (name == "email") {
        return channel::email;
    }
    if (name == "push") {
        return channel::push;
    }
    if (name == "sms") {
        return channel::sms;
    }
    return std::nullopt;
}

std::int32_t partition_of(std::string_view hash, std::int32_t partitions) noexcept {
    std::uint32_t head = 0;
    for (std::size_t i = 0; i < 4 && i < hash.size(); ++i) {
        head = head << 8 | static_cast<unsigned char>(hash[i]);
    }
    return static_cast<std::int32_t>(head % static_cast<std::uint32_t>(partitions));
}

} // namespace semel::base
