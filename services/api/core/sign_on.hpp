#pragma once
// Signing on with the organisation's provider: what one browser's attempt is known by, and which user comes of what the
// provider says. Pure.
//
// Everything that the provider must give back or must not know follows from one secret, which lies in a cookie of the
// browser that began. So a state that somebody else made fits no other browser, any process of the api can take the
// answer, and strangers who begin and never come back fill nothing.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <http/json.hpp>

#include <api/core/access.hpp>
#include <api/core/browser.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::api::sign_on {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds attempt_lasts{10min};
/// For what needs a fresh sign-in, one of the last minutes is one.
inline constexpr std::chrono::seconds fresh_for{5min};

/// How long what the provider says of itself holds, and how soon it is asked again.
struct patience {
    std::chrono::seconds kept{1h};                // then its description and its keys are read anew
    std::chrono::seconds between_keys{60};        // a key that is not known is looked for no sooner
    std::chrono::seconds after_a_failure{5};      // strangers who begin make nobody knock there all the time
    std::chrono::milliseconds for_a_step{10'000}; // of a conversation
};

struct attempt {
    std::string secret; // 32 random bytes
    base::timestamp started;
    bool fresh = false;      // the provider must ask the person again
    std::string before = {}; // SHA-256 of the secret of the session that the browser had, which ends; 32 bytes
};
/// As the cookie holds it.
std::string to_text(const attempt&);
/// Nothing for what is none, or is older than an attempt lasts.
std::optional<attempt> attempt_in(std::string_view cookie, base::timestamp now);

browser::cookie cookie_of(const browser::cookie& of_session);
/// Sent when the provider's page leads back here, which a Strict one is not. An empty text takes it away.
std::string set_cookie(const browser::cookie&, std::string_view text);

/// Each follows from the whole text of the cookie, and tells nothing of it.
std::string state_of(std::string_view cookie);
std::string nonce_of(std::string_view cookie);
std::string verifier_of(std::string_view cookie); // RFC 7636
std::string challenge_of(std::string_view verifier);

using parameters = std::vector<std::pair<std::string, std::string>>;
/// What the browser takes to the provider.
parameters question(std::string_view client_id, std::string_view back, std::string_view cookie, bool fresh);
/// What the code is exchanged with, without the client's secret.
parameters exchange(std::string_view client_id, std::string_view back, std::string_view cookie, std::string_view code);

/// What the provider's page sent the browser back with; empty where it is not there.
struct came_back {
    std::string_view state, code, error, issuer;
};
/// Why a sign-on comes to nothing, as the console is told and says in its own words.
enum class failure : unsigned char {
    elsewhere, // another browser began, or too long ago
    cancelled, // the person said no, or the provider did
    provider,  // it does not answer, or not as it should
    token,     // what it says is not believed
    name,      // no user can be called so, or somebody is
    no_role,   // none of the person's groups has a role here
    revoked,   // the user's rights were taken away here
};
std::string_view to_string(failure) noexcept;

/// Nothing: the code may be exchanged.
std::optional<failure> trouble_with(const came_back&, std::string_view cookie, std::string_view issuer,
                                    bool names_itself);

/// The claim of the person's name as a user's name: small letters, what no name has as '-'. Whose name it is already is
/// asked where users are kept.
base::result<std::string> name_in(const json::object& claims, const std::string& claim);

using role_table = std::map<std::string, std::vector<role>, std::less<>>;
/// Those that any of the claim's values has; in the order of all_roles. Empty when none has.
std::vector<role> roles_in(const json::object& claims, const std::string& claim, const role_table&);

} // namespace semel::api::sign_on
