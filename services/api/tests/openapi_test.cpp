// The description of the interface and the interface, held against each other.

#include "doubts_support.hpp"

#include <yaml-cpp/yaml.h>

#include <set>

namespace semel::api::test {
namespace {

YAML::Node description() {
    return YAML::LoadFile("docs/openapi.yaml");
}

TEST_F(Api, HasExactlyTheRoutesOfItsDescription) {
    std::set<std::string> described;
    for (const auto& path : description()["paths"]) {
        for (const auto& member : path.second) {
            auto method = member.first.as<std::string>();
            if (method == "parameters") {
                continue;
            }
            std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::toupper(c); });
            described.insert(method + ' ' + path.first.as<std::string>());
        }
    }
    const auto list = routes(*shared).router().table().list();
    EXPECT_EQ(described, (std::set<std::string>{list.begin(), list.end()}));
}

/// "operator, approver" of those roles that the step gives this.
std::string roles_with(access::step what, access::grant given) {
    std::string names;
    std::size_t count = 0;
    for (const auto one : all_roles) {
        if (access::granted(what, one) == given) {
            names += (names.empty() ? "" : ", ") + std::string{to_string(one)};
            ++count;
        }
    }
    return count == all_roles.size() ? "all" : names;
}

/// How a description begins whose route is this step.
std::string roles_in_words(access::step what) {
    auto words = roles_with(what, access::grant::yes);
    if (const auto others = roles_with(what, access::grant::others); !others.empty()) {
        words +=
            (words.empty() ? "" : "; ") + others +
            (what == access::step::change_users ? ", and nobody for themselves" : ", and not the campaign's creator");
    }
    if (!roles_with(what, access::grant::own).empty()) {
        const std::string own = what == access::step::revoke_token     ? "token"
                                : what == access::step::read_decisions ? "decisions"
                                                                       : "sessions";
        words += (words.empty() ? "" : "; ") + ("all for their own " + own);
    }
    return "Roles: " + words;
}

TEST_F(Api, NamesTheRolesOfEachRouteAsTheTableHasThem) {
    const auto whole = description();
    const auto all = routes(*shared);
    std::set<access::step> reached;
    for (const auto& [route, what] : all.steps()) {
        const auto space = route.find(' ');
        auto method = route.substr(0, space);
        std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
        const auto says = whole["paths"][route.substr(space + 1)][method]["description"];
        ASSERT_TRUE(says.IsDefined()) << route;
        const auto text = says.as<std::string>();
        const auto words = roles_in_words(what);
        EXPECT_TRUE(text.starts_with(words)) << route << " is " << access::name_of(what) << ": " << words << "\n"
                                             << text;
        EXPECT_TRUE(text.size() > words.size() &&
                    std::string_view{".;"}.find(text[words.size()]) != std::string_view::npos)
            << route << ": " << text;
        reached.insert(what);
    }
    EXPECT_EQ(all.steps().size() + all.open().size(), all.router().table().list().size()) << "each route has a step";
    // Asked for inside drop_wave, once the wave is known.
    reached.insert(access::step::drop_approved_wave);
    EXPECT_EQ(reached.size(), access::step_count) << "a step that no route is";
}

void collect_references(const YAML::Node& node, std::set<std::string>& into) {
    if (node.IsMap()) {
        for (const auto& member : node) {
            if (member.first.as<std::string>() == "$ref") {
                into.insert(member.second.as<std::string>());
            }
            collect_references(member.second, into);
        }
    } else if (node.IsSequence()) {
        for (const auto& item : node) {
            collect_references(item, into);
        }
    }
}

TEST(OpenApi, RefersOnlyToWhatItHas) {
    const auto whole = description();
    std::set<std::string> references;
    collect_references(whole, references);
    ASSERT_FALSE(references.empty());
    for (const auto& reference : references) {
        ASSERT_TRUE(reference.starts_with("#/")) << reference;
        YAML::Node at = YAML::Clone(whole);
        for (std::size_t from = 2; from < reference.size();) {
            const auto slash = std::min(reference.find('/', from), reference.size());
            at.reset(at[reference.substr(from, slash - from)]);
            ASSERT_TRUE(at.IsDefined()) << reference;
            from = slash + 1;
        }
    }
}

std::vector<std::string> required_of(const YAML::Node& schema) {
    return schema["required"].as<std::vector<std::string>>();
}
bool has(const json::object& o, const std::vector<std::string>& fields) {
    return std::ranges::all_of(fields, [&](const std::string& f) { return o.contains(f); });
}

// Fields that an answer must have according to the description.
TEST_F(Api, AnswersWithTheFieldsOfItsDescription) {
    const auto schemas = description()["components"]["schemas"];
    const auto id = create();
    tell(compiled(id));
    const auto uploaded = upload(id, "recipient_id,email\n1,kim@example.com\n");
    EXPECT_TRUE(has(uploaded.object(), required_of(schemas["Upload"]))) << uploaded.body;
    tell(imported(id, 1));
    const auto sealed = step("operator", id, "seal");
    EXPECT_TRUE(has(sealed.object(), required_of(schemas["StepTaken"]))) << sealed.body;
    const auto refused = step("operator", id, "launch");
    EXPECT_TRUE(has(refused.object(), required_of(schemas["Problem"]))) << refused.body;
}

TEST_F(Doubts, AnswerWithTheFieldsOfTheirDescription) {
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", ""),
            s.about(v1::EVENT_RESENT, "a", 2), s.about(v1::EVENT_UNRESOLVED, "a", 2)});
    const auto schemas = description()["components"]["schemas"];
    for (const auto& [path, schema] : {std::pair{"in-doubt", "Doubt"}, std::pair{"resent", "Resent"}}) {
        std::set<std::string> described, answered;
        for (const auto& property : schemas[schema]["properties"]) {
            described.insert(property.first.as<std::string>());
        }
        for (const auto& [name, value] : list(path).at(0).as_object()) {
            answered.emplace(name);
        }
        EXPECT_EQ(answered, described) << path;
    }
    for (const auto& [path, schema] : {std::pair{"status", "Status"}, std::pair{"report", "Report"}}) {
        const auto channels = get("auditor", "/v1/campaigns/" + id + "/" + path).object().at("channels").as_object();
        const auto counts = schemas[schema]["properties"]["channels"]["additionalProperties"];
        for (const auto& [channel, value] : channels) {
            EXPECT_TRUE(has(value.as_object(), required_of(counts))) << path << ' ' << std::string_view{channel};
        }
    }
}

} // namespace
} // namespace semel::api::test
