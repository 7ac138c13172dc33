#include "account_views.hpp"

#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

constexpr auto right = text_table::align::right;
constexpr std::size_t short_hash = 12;

/// "operator, auditor"
std::string words_of(const json::object& from, std::string_view key) {
    std::string out;
    if (const auto* list = from.if_contains(key); list != nullptr && list->is_array()) {
        for (const auto& word : list->get_array()) {
            out += (out.empty() ? "" : ", ") + (word.is_string() ? std::string{word.get_string()} : std::string{"?"});
        }
    }
    return out;
}

/// How the rest of a list is asked for.
std::string rest_of(const json::object& page) {
    const auto next = number_of(page, "next");
    return next == 0 ? std::string{} : fmt::format("\nearlier ones: --before {}\n", next);
}

} // namespace

std::string lookups_text(const json::object& page) {
    text_table table{
        {{"time"}, {"user"}, {"from"}, {"what"}, {"campaign"}, {"recipient"}, {"people", right}, {"case"}, {"reason"}}};
    each(page, "lookups", [&](const json::object& look) {
        table.add({text_of(look, "time"), text_of(look, "user"), text_of(look, "from"), text_of(look, "what"),
                   text_of(look, "campaign"), text_of(look, "recipient").substr(0, short_hash),
                   with_separators(number_of(look, "people")), text_of(look, "case"), text_of(look, "reason")});
    });
    return table.empty() ? "nobody looked\n" : table.to_string() + rest_of(page);
}

std::string decisions_text(const json::object& page) {
    text_table table{{{"time"}, {"user"}, {"what"}, {"campaign"}, {"name"}, {"messages", right}, {"text"}}};
    each(page, "decisions", [&](const json::object& one) {
        const auto messages = number_of(one, "messages");
        table.add({text_of(one, "time"), text_of(one, "user"), text_of(one, "what"), text_of(one, "campaign"),
                   text_of(one, "name"), messages == 0 ? std::string{} : with_separators(messages),
                   text_of(one, "text")});
    });
    return table.empty() ? "nothing was decided\n" : table.to_string() + rest_of(page);
}

std::string users_text(const json::value& list) {
    text_table table{{{"user"}, {"roles"}, {"token", right}, {"scope"}, {"until"}, {"made by"}}};
    const json::object all{{"users", list}};
    each(all, "users", [&](const json::object& user) {
        auto name = text_of(user, "user"), roles = words_of(user, "roles");
        bool any = false;
        each(user, "tokens", [&](const json::object& token) {
            const auto scope = words_of(token, "scope"), until = text_of(token, "expires");
            table.add({name, roles, std::to_string(number_of(token, "number")), scope.empty() ? "all" : scope,
                       until.empty() ? "-" : until, text_of(token, "made_by")});
            name = roles = ""; // once for each user
            any = true;
        });
        if (!any) {
            table.add({name, roles, "-", "", "", ""});
        }
    });
    return table.to_string();
}

std::string sessions_text(const json::object& page) {
    text_table table{{{"session", right},
                      {"user"},
                      {"by"},
                      {"signed in"},
                      {"from"},
                      {"last used"},
                      {"last from"},
                      {"ends unless used"}}};
    each(page, "sessions", [&](const json::object& one) {
        const bool by_code = text_of(one, "how") == "code";
        table.add({std::to_string(number_of(one, "number")), text_of(one, "user"),
                   by_code ? fmt::format("token {}", number_of(one, "token")) : "sign-on", text_of(one, "opened"),
                   text_of(one, "from"), text_of(one, "seen"), text_of(one, "seen_from"), text_of(one, "ends")});
    });
    return table.empty() ? "nobody is signed in\n" : table.to_string() + rest_of(page);
}

std::string access_events_text(const json::object& page) {
    text_table table{{{"time"}, {"user"}, {"from"}, {"what"}, {"about"}, {"times", right}, {"text"}}};
    each(page, "events", [&](const json::object& event) {
        table.add({text_of(event, "time"), text_of(event, "user"), text_of(event, "from"), text_of(event, "what"),
                   text_of(event, "about"), with_separators(number_of(event, "times")), text_of(event, "text")});
    });
    return table.empty() ? "nothing happened\n" : table.to_string() + rest_of(page);
}

} // namespace semel::cli::campaign
