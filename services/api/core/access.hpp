#pragma once
// Who may do what: one table of steps and roles (docs/security.md shows it). Pure. Each route of the api names its step
// (edge/guarded_routes.hpp); what depends on who made the campaign is asked where that is known.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

enum class role : unsigned char { operator_, approver, product, auditor, administrator };
inline constexpr std::array all_roles{role::operator_, role::approver, role::product, role::auditor,
                                      role::administrator};
std::optional<role> role_from(std::string_view) noexcept;
std::string_view to_string(role) noexcept;

/// A person, as far as the token goes that was shown.
struct user {
    std::string name;
    std::vector<role> roles = {};
    bool read_only = false;      // the token changes nothing, whatever the roles may
    bool long_signed_in = false; // signed on with the organisation's provider, and not in the last minutes
};
bool has(const user&, role) noexcept;
/// "the role operator", "the roles operator and auditor", "no role".
std::string roles_in_words(const user&);

namespace access {

/// What a user asks for. Several routes may be one step: whoever reads how a campaign stands may also read its report.
enum class step : unsigned char {
    see_oneself,
    use_session,   // a browser's: asking for a code, signing out
    list_sessions, // of browsers: who is signed in, since when and from where
    end_session,   // any of them, also in another browser
    list_users,
    change_users,
    make_token,
    revoke_token,
    read_access_events, // who was let in, kept out, given rights
    create_campaign,
    read_campaigns, // counts and states, nobody's data
    read_history,
    read_decisions, // who approved, launched, cancelled, decided doubts
    read_people,    // lists with recipients in them
    read_person,    // one recipient's story
    read_lookups,   // who looked at whom
    add_upload,
    send_test,
    seal,
    approve,
    launch,
    release, // what is behind a canary
    pause,
    resume,
    cancel,
    drop_wave,
    drop_approved_wave, // beside drop_wave, when the wave is approved
    read_doubts,
    decide_doubts,
    list_test_addresses,
    change_test_addresses,
    list_keys,
    rotate_keys,
    read_unmatched_receipts,
};
inline constexpr std::size_t step_count = static_cast<std::size_t>(step::read_unmatched_receipts) + 1;
/// As docs/security.md and the log name it: "decide_doubts".
std::string_view name_of(step) noexcept;
/// Whether anything is another afterwards: what a token that only reads may not.
bool changes(step) noexcept;
/// What somebody at an unattended desk must not do: who has signed on signs in anew for it.
bool wants_fresh_sign_in(step) noexcept;

/// What a role gives its user for a step.
enum class grant : unsigned char {
    no,
    yes,
    others, // what somebody else made: no person decides alone
    own,    // the user's own, nobody else's
};
grant granted(step, role) noexcept;

enum class ruling : unsigned char {
    allowed,
    another_role,   // none of the user's roles has the step
    another_person, // a role has it, but not for what this user made
    own_only,       // a role has it, but not for what is somebody else's
    reading_only,   // a role has it, but the token only reads
    sign_in_anew,   // a role has it, but the sign-in is too long ago for it
};
/// `made_it`: whoever asks made the campaign, or owns the token or session, that the step is about. By person: a role
/// more never lets somebody approve the own campaign.
ruling judge(step, std::span<const role>, bool made_it) noexcept;
ruling judge(step, const user&, std::string_view maker) noexcept;
/// Whether the user may take the step on anything: `allowed`, `another_role`, `reading_only` or `sign_in_anew`. Asked
/// before it is known on what.
ruling at_all(step, const user&) noexcept;

/// "approver", "operator or approver": whom to ask instead.
std::string who_may(step);

} // namespace access
} // namespace semel::api
