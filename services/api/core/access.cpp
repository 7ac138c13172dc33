#include "access.hpp"

#include <algorithm>
#include <utility>

namespace semel::api {

std::optional<role> role_from(std::string_view name) noexcept {
    for (const auto one : all_roles) {
        if (name == to_string(one)) {
            return one;
        }
    }
    return std::nullopt;
}

std::string_view to_string(role r) noexcept {
    switch (r) {
    case role::operator_:
        return "operator";
    case role::approver:
        return "approver";
    case role::product:
        return "product";
    case role::auditor:
        return "auditor";
    case role::administrator:
        return "administrator";
    }
    return "auditor";
}

bool has(const user& who, role r) noexcept {
    return std::ranges::find(who.roles, r) != who.roles.end();
}

std::string roles_in_words(const user& who) {
    if (who.roles.empty()) {
        return "no role";
    }
    std::string names;
    for (std::size_t i = 0; i < who.roles.size(); ++i) {
        names += (i == 0 ? "" : i + 1 == who.roles.size() ? " and " : ", ") + std::string{to_string(who.roles[i])};
    }
    return (who.roles.size() == 1 ? "the role " : "the roles ") + names;
}

namespace access {
namespace {

constexpr auto no = grant::no, yes = grant::yes, others = grant::others, own = grant::own;

constexpr bool acts = true, looks = false;

struct row {
    access::step step;
    std::string_view name;
    bool changes;
    std::array<grant, all_roles.size()> by_role; // in the order of `role`
};

// clang-format off
constexpr std::array table{
    //                                                                    operator  approver  product   auditor   administrator
    row{step::see_oneself,             "see_oneself",             looks, {yes,      yes,      yes,      yes,      yes}},
    row{step::use_session,             "use_session",             looks, {yes,      yes,      yes,      yes,      yes}},
    row{step::list_sessions,           "list_sessions",           looks, {own,      own,      own,      own,      yes}},
    row{step::end_session,             "end_session",             acts,  {own,      own,      own,      own,      yes}},
    row{step::list_users,              "list_users",              looks, {no,       yes,      no,       yes,      yes}},
    row{step::change_users,            "change_users",            acts,  {no,       no,       no,       no,       others}},
    row{step::make_token,              "make_token",              acts,  {no,       no,       no,       no,       yes}},
    row{step::revoke_token,            "revoke_token",            acts,  {own,      yes,      own,      own,      yes}},
    row{step::read_access_events,      "read_access_events",      looks, {no,       no,       no,       yes,      yes}},
    row{step::create_campaign,         "create_campaign",         acts,  {yes,      no,       yes,      no,       no}},
    row{step::read_campaigns,          "read_campaigns",          looks, {yes,      yes,      yes,      yes,      yes}},
    row{step::read_history,            "read_history",            looks, {yes,      yes,      yes,      yes,      yes}},
    row{step::read_decisions,          "read_decisions",          looks, {own,      own,      own,      yes,      own}},
    row{step::read_people,             "read_people",             looks, {yes,      yes,      no,       yes,      no}},
    row{step::read_person,             "read_person",             looks, {yes,      yes,      no,       yes,      no}},
    row{step::read_lookups,            "read_lookups",            looks, {no,       no,       no,       yes,      no}},
    row{step::add_upload,              "add_upload",              acts,  {yes,      no,       no,       no,       no}},
    row{step::send_test,               "send_test",               acts,  {yes,      no,       no,       no,       no}},
    row{step::seal,                    "seal",                    acts,  {yes,      no,       no,       no,       no}},
    row{step::approve,                 "approve",                 acts,  {no,       others,   no,       no,       no}},
    row{step::launch,                  "launch",                  acts,  {yes,      no,       no,       no,       no}},
    row{step::release,                 "release",                 acts,  {yes,      no,       no,       no,       no}},
    row{step::pause,                   "pause",                   acts,  {yes,      yes,      no,       no,       no}},
    row{step::resume,                  "resume",                  acts,  {yes,      no,       no,       no,       no}},
    row{step::cancel,                  "cancel",                  acts,  {yes,      yes,      no,       no,       no}},
    row{step::drop_wave,               "drop_wave",               acts,  {yes,      yes,      no,       no,       no}},
    row{step::drop_approved_wave,      "drop_approved_wave",      acts,  {no,       others,   no,       no,       no}},
    row{step::read_doubts,             "read_doubts",             looks, {yes,      yes,      no,       yes,      no}},
    row{step::decide_doubts,           "decide_doubts",           acts,  {no,       others,   no,       no,       no}},
    row{step::list_test_addresses,     "list_test_addresses",     looks, {yes,      yes,      yes,      yes,      no}},
    row{step::change_test_addresses,   "change_test_addresses",   acts,  {no,       yes,      no,       no,       no}},
    row{step::list_keys,               "list_keys",               looks, {yes,      yes,      no,       yes,      yes}},
    row{step::rotate_keys,             "rotate_keys",             acts,  {yes,      no,       no,       no,       yes}},
    row{step::read_unmatched_receipts, "read_unmatched_receipts", looks, {yes,      yes,      no,       yes,      no}},
};
// clang-format on

constexpr bool is_in_order() {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (std::to_underlying(table[i].step) != i) {
            return false;
        }
    }
    return true;
}
static_assert(table.size() == step_count && is_in_order(), "rows are found by their step's number");

bool covers(grant g, bool made_it) noexcept {
    return g == yes || (g == others && !made_it) || (g == own && made_it);
}

} // namespace

std::string_view name_of(step s) noexcept {
    return table[std::to_underlying(s)].name;
}

bool changes(step s) noexcept {
    return table[std::to_underlying(s)].changes;
}

bool wants_fresh_sign_in(step s) noexcept {
    return s == step::approve || s == step::decide_doubts || s == step::read_person;
}

grant granted(step s, role r) noexcept {
    return table[std::to_underlying(s)].by_role[std::to_underlying(r)];
}

ruling judge(step s, std::span<const role> roles, bool made_it) noexcept {
    auto so_far = ruling::another_role;
    for (const auto one : roles) {
        const auto given = granted(s, one);
        if (covers(given, made_it)) {
            return ruling::allowed;
        }
        if (given != no) {
            so_far = given == others ? ruling::another_person : ruling::own_only;
        }
    }
    return so_far;
}

ruling judge(step s, const user& who, std::string_view maker) noexcept {
    const auto by_roles = judge(s, who.roles, who.name == maker);
    return by_roles == ruling::allowed && who.read_only && changes(s) ? ruling::reading_only : by_roles;
}

ruling at_all(step s, const user& who) noexcept {
    if (std::ranges::all_of(who.roles, [s](role r) { return granted(s, r) == no; })) {
        return ruling::another_role;
    }
    if (who.read_only && changes(s)) {
        return ruling::reading_only;
    }
    return who.long_signed_in && wants_fresh_sign_in(s) ? ruling::sign_in_anew : ruling::allowed;
}

std::string who_may(step s) {
    std::string names;
    for (const auto one : all_roles) {
        if (granted(s, one) != no) {
            names += (names.empty() ? "" : " or ") + std::string{to_string(one)};
        }
    }
    return names;
}

} // namespace access
} // namespace semel::api
