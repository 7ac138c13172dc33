#include "trouble.hpp"

#include <base/bytes.hpp>
#include <http/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace semel::trouble {

namespace {

constexpr std::array names{
    std::pair{kind::stopped, std::string_view{"stopped"}}, std::pair{kind::suspected, std::string_view{"suspected"}},
    std::pair{kind::failing, std::string_view{"failing"}}, std::pair{kind::throttled, std::string_view{"throttled"}},
    std::pair{kind::redis, std::string_view{"redis"}},     std::pair{kind::kafka, std::string_view{"kafka"}},
    std::pair{kind::clock, std::string_view{"clock"}},     std::pair{kind::other, std::string_view{"other"}}};

constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_words = 600;
constexpr std::size_t most_entries = 100;

std::string short_text(const json::object& o, std::string_view key, std::size_t longest) {
    const auto* found = json::find_text(o, key);
    auto text = found == nullptr ? std::string{} : base::to_printable(std::string_view{found->data(), found->size()});
    text.resize(std::min(text.size(), longest));
    return text;
}

kind kind_of(std::string_view name) noexcept {
    const auto found = std::ranges::find(names, name, [](const auto& n) { return n.second; });
    return found == names.end() ? kind::other : found->first; // a later version may know more kinds
}

} // namespace

std::string_view to_string(kind k) noexcept {
    return std::ranges::find(names, k, [](const auto& n) { return n.first; })->second;
}

std::vector<entry> carry(const std::vector<entry>& before, std::vector<entry> now, base::timestamp at) {
    for (auto& e : now) {
        const auto same = [&](const entry& old) { return old.subject == e.subject && old.what == e.what; };
        const auto found = std::ranges::find_if(before, same);
        e.since = found == before.end() ? at : found->since;
    }
    return now;
}

std::string encode(const report& r) {
    json::array entries;
    for (const auto& e : r.entries) {
        json::object o{{"subject", e.subject},
                       {"what", std::string{to_string(e.what)}},
                       {"since_us", base::to_us(e.since)},
                       {"words", e.words}};
        if (e.limit_per_s) {
            o["limit_per_s"] = *e.limit_per_s;
        }
        entries.push_back(std::move(o));
    }
    return json::serialize(
        json::object{{"service", r.service}, {"instance", r.instance}, {"entries", std::move(entries)}});
}

std::optional<report> decode(std::string_view text) {
    const auto parsed = json::read(text);
    const auto* o = parsed ? parsed->if_object() : nullptr;
    const auto* list = o == nullptr ? nullptr : o->if_contains("entries");
    if (list == nullptr || !list->is_array()) {
        return std::nullopt;
    }
    report out{.service = short_text(*o, "service", longest_name),
               .instance = short_text(*o, "instance", longest_name),
               .entries = {}};
    for (const auto& item : list->get_array()) {
        const auto* e = item.if_object();
        if (e == nullptr || out.entries.size() == most_entries) {
            continue;
        }
        entry made{.subject = short_text(*e, "subject", longest_name),
                   .what = kind_of(short_text(*e, "what", longest_name)),
                   .since = {},
                   .words = short_text(*e, "words", longest_words)};
        if (const auto* since = e->if_contains("since_us"); since != nullptr && since->is_int64()) {
            made.since = base::from_us(since->get_int64());
        }
        if (const auto* limit = e->if_contains("limit_per_s"); limit != nullptr && limit->is_number()) {
            made.limit_per_s = limit->to_number<double>();
        }
        out.entries.push_back(std::move(made));
    }
    return out;
}

std::vector<report> merged(std::vector<report> all) {
    std::ranges::sort(all, {}, &report::instance);
    std::map<std::tuple<std::string, std::string, kind>, std::pair<report, entry>> first;
    for (const auto& r : all) {
        for (const auto& e : r.entries) {
            const auto [at, fresh] = first.try_emplace({r.service, e.subject, e.what}, r, e);
            if (!fresh && e.since < at->second.second.since) {
                at->second = {r, e};
            }
        }
    }
    std::vector<report> out;
    for (auto& [key, found] : first) {
        out.push_back({.service = found.first.service, .instance = found.first.instance, .entries = {found.second}});
    }
    return out;
}

} // namespace semel::trouble
