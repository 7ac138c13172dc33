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
    case role::auditor:
        return "auditor";
    }
    return "auditor";
}

namespace access {
namespace {

constexpr auto no = grant::no, yes = grant::yes, others = grant::others, own = grant::own;

struct row {
    access::step step;
    std::string_view name;
    std::array<grant, all_roles.size()> by_role; // in the order of `role`
};

// clang-format off
constexpr std::array table{
    //                                                               operator  approver  auditor
    row{step::see_oneself,             "see_oneself",             {yes,      yes,      yes}},
    row{step::list_users,              "list_users",              {no,       yes,      yes}},
    row{step::revoke_token,            "revoke_token",            {own,      yes,      own}},
    row{step::create_campaign,         "create_campaign",         {yes,      no,       no}},
    row{step::read_campaigns,          "read_campaigns",          {yes,      yes,      yes}},
    row{step::read_history,            "read_history",            {yes,      yes,      yes}},
    row{step::read_people,             "read_people",             {yes,      yes,      yes}},
    row{step::read_person,             "read_person",             {yes,      yes,      yes}},
    row{step::read_lookups,            "read_lookups",            {no,       no,       yes}},
    row{step::add_upload,              "add_upload",              {yes,      no,       no}},
    row{step::send_test,               "send_test",               {yes,      no,       no}},
    row{step::seal,                    "seal",                    {yes,      no,       no}},
    row{step::approve,                 "approve",                 {no,       others,   no}},
    row{step::launch,                  "launch",                  {yes,      no,       no}},
    row{step::pause,                   "pause",                   {yes,      yes,      no}},
    row{step::resume,                  "resume",                  {yes,      no,       no}},
    row{step::cancel,                  "cancel",                  {yes,      yes,      no}},
    row{step::drop_wave,               "drop_wave",               {yes,      yes,      no}},
    row{step::drop_approved_wave,      "drop_approved_wave",      {no,       others,   no}},
    row{step::read_doubts,             "read_doubts",             {yes,      yes,      yes}},
    row{step::decide_doubts,           "decide_doubts",           {no,       others,   no}},
    row{step::list_test_addresses,     "list_test_addresses",     {yes,      yes,      yes}},
    row{step::change_test_addresses,   "change_test_addresses",   {no,       yes,      no}},
    row{step::list_keys,               "list_keys",               {yes,      yes,      yes}},
    row{step::rotate_keys,             "rotate_keys",             {yes,      no,       no}},
    row{step::read_unmatched_receipts, "read_unmatched_receipts", {yes,      yes,      yes}},
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
    return judge(s, std::span{&who.role, 1}, who.name == maker);
}

bool may_at_all(step s, const user& who) noexcept {
    return granted(s, who.role) != no;
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
