#include "packs.hpp"

#include "rule_yaml.hpp"
#include "rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace semel::notice {
namespace {

using namespace rule_yaml;

std::map<std::string, std::string, std::less<>> map_of(const YAML::Node& node) {
    std::map<std::string, std::string, std::less<>> out;
    for (const auto& entry : node) {
        out[entry.first.as<std::string>()] = entry.second.as<std::string>();
    }
    return out;
}

in_force in_force_of(const YAML::Node& rule) {
    return {.from = time_of(rule, "from"), .until = time_of(rule, "until")};
}

element element_of(const YAML::Node& rule) {
    element out{.id = text(rule, "id"),
                .law = text(rule, "law"),
                .anchor = text_or(rule, "anchor", {}),
                .kinds = kinds_of(rule),
                .how_bad = severity_of(rule),
                .when = in_force_of(rule),
                .what = text(rule, "what"),
                .by_words = rule["words"].as<bool>(false),
                .items = rule["items"].as<bool>(false),
                .heading = map_of(rule["heading"])};
    if (out.kinds.empty() || (out.anchor.empty() && !out.by_words)) {
        throw std::runtime_error{"an element holds for no kind of notice, or has neither an anchor nor words"};
    }
    return out;
}

duty duty_of(const YAML::Node& rule) {
    return {.law = text(rule, "law"),
            .within = std::chrono::hours{rule["hours"].as<int>()},
            .kinds = kinds_of(rule),
            .when = in_force_of(rule),
            .delays = map_of(rule["delays"])};
}

trigger trigger_of(const YAML::Node& rule) {
    trigger out{.law = text(rule, "law"), .otherwise = text(rule, "otherwise"), .any = {}};
    for (const auto& set : rule["any"]) {
        auto& groups = out.any.emplace_back();
        for (const auto& group : set) {
            groups.push_back(texts(group));
        }
    }
    if (out.any.empty()) {
        throw std::runtime_error{"a trigger names no data"};
    }
    return out;
}

bool is_of(const std::vector<kind>& kinds, kind k) {
    return std::ranges::find(kinds, k) != kinds.end();
}

pack_answer answer_of(const pack& p, const notice_source& source) {
    pack_answer out{.pack = p.name, .law = p.law, .standing = standing::applies, .why = {}};
    if (p.trigger && source.leaked.empty()) {
        out.standing = standing::undecided;
        out.why = "facts.leaked is empty, and what leaked decides whether this law asks for a notice";
        return out;
    }
    if (p.trigger && !p.trigger->met_by(source.leaked)) {
        out.standing = standing::not_triggered;
        out.why = p.trigger->otherwise;
        return out;
    }
    bool later = false;
    for (const auto& e : p.elements) {
        if (is_of(e.kinds, source.kind)) {
            if (e.when.on(source.aware_at) && !e.anchor.empty() && e.anchor != "contact") {
                return out;
            }
            later = later || !e.when.on(source.aware_at);
        }
    }
    if (later) {
        out.standing = standing::not_in_force;
        out.why = "this law asked nothing of this kind of notice when the incident became known";
    }
    return out;
}

} // namespace

bool in_force::on(const std::optional<base::timestamp>& aware_at) const noexcept {
    // Without a day of awareness the law of today holds.
    return aware_at ? (!from || *aware_at >= *from) && (!until || *aware_at < *until) : !until;
}

bool trigger::met_by(const std::vector<std::string>& leaked) const {
    return std::ranges::any_of(any, [&](const auto& groups) {
        return std::ranges::all_of(groups, [&](const auto& group) {
            return std::ranges::any_of(
                group, [&](const auto& item) { return std::ranges::find(leaked, item) != leaked.end(); });
        });
    });
}

pack read_pack(const std::string& yaml) {
    const auto root = YAML::Load(yaml);
    pack out{.name = text_or(root, "pack", {}),
             .law = text(root, "law"),
             .elements = {},
             .duties = {},
             .trigger = std::nullopt,
             .title = std::nullopt,
             .posting = std::nullopt};
    for (const auto& rule : root["elements"]) {
        out.elements.push_back(element_of(rule));
    }
    for (const auto& rule : root["duties"]) {
        out.duties.push_back(duty_of(rule));
    }
    if (const auto rule = root["trigger"]) {
        out.trigger = trigger_of(rule);
    }
    if (const auto rule = root["title"]) {
        out.title = exact_title{.id = text(rule, "id"),
                                .law = text(rule, "law"),
                                .language = text(rule, "language"),
                                .text = text(rule, "exact")};
    }
    if (const auto rule = root["posting"]) {
        out.posting = posting_rule{
            .id = text(rule, "id"), .law = text(rule, "law"), .least = std::chrono::days{rule["days"].as<int>()}};
    }
    return out;
}

const std::vector<pack>& built_in_packs() {
    static const auto all = [] {
        std::vector<pack> out;
        for (const auto file : rule_files()) {
            out.push_back(read_pack(std::string{file}));
        }
        return out;
    }();
    return all;
}

const pack* pack_named(std::string_view name) {
    const auto& all = built_in_packs();
    const auto found = std::ranges::find(all, name, &pack::name);
    return name.empty() || found == all.end() ? nullptr : &*found;
}

std::string_view to_string(standing s) noexcept {
    switch (s) {
    case standing::applies:
        return "applies";
    case standing::not_triggered:
        return "not triggered";
    case standing::not_in_force:
        return "not in force";
    case standing::undecided:
        break;
    }
    return "undecided";
}

std::vector<pack_answer> answers_of(const notice_source& source) {
    std::vector<pack_answer> out;
    for (const auto& name : source.jurisdictions) {
        if (const auto* p = pack_named(name)) {
            out.push_back(answer_of(*p, source));
        }
    }
    return out;
}

std::vector<const pack*> packs_for(const notice_source& source) {
    std::vector<const pack*> out;
    for (const auto& p : built_in_packs()) {
        const bool named = std::ranges::find(source.jurisdictions, p.name) != source.jurisdictions.end();
        if (p.name.empty() || (named && answer_of(p, source).standing != standing::not_triggered)) {
            out.push_back(&p);
        }
    }
    return out;
}

} // namespace semel::notice
