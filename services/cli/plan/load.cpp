#include "load.hpp"

#include <wire/identity.hpp>

#include <algorithm>
#include <functional>
#include <string_view>

namespace semel::cli::plan {
namespace {

std::uint64_t hash_of(std::string_view text) {
    return std::hash<std::string_view>{}(text);
}

std::uint64_t distinct(std::vector<std::uint64_t>& all) {
    std::ranges::sort(all);
    const auto rest = std::ranges::unique(all);
    return static_cast<std::uint64_t>(rest.begin() - all.begin());
}

} // namespace

load_counter::load_counter(std::set<std::string, std::less<>> domains, std::vector<base::channel> channels, dedup by)
    : domains_(std::move(domains))
    , channels_(channels.begin(), channels.end())
    , by_(by) {}

part load_counter::part_of(base::channel channel, const v1::Address& address) const {
    switch (channel) {
    case base::channel::push:
        return {channel, address.transport()};
    case base::channel::email: {
        const std::string_view whole{address.canonical()};
        const auto domain = domains_.find(whole.substr(whole.rfind('@') + 1));
        return {channel, domain == domains_.end() ? std::string{} : *domain};
    }
    case base::channel::sms:
        break;
    }
    return {channel, {}};
}

void load_counter::add(const v1::Recipient& who) {
    ids_.push_back(hash_of(who.recipient_id()));
    for (const auto& address : who.addresses()) {
        const auto channel = wire::from_proto(address.channel());
        if (!channel || !channels_.contains(*channel)) {
            continue;
        }
        // An id has no NUL byte (audience/import), so nobody else's id and address run together like this.
        const auto key = by_ == dedup::address ? hash_of(address.canonical())
                                               : hash_of(who.recipient_id() + '\0' + address.canonical());
        messages_[part_of(*channel, address)].push_back(key);
    }
}

load load_counter::finish() {
    load out;
    const auto rows = ids_.size();
    out.repeated = rows - distinct(ids_);
    for (auto& [part, keys] : messages_) {
        out.parts[part].addresses = keys.size();
        out.parts[part].messages = distinct(keys);
    }
    return out;
}

} // namespace semel::cli::plan
