// The description of the interface and the interface, held against each other.

#include "support.hpp"

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
    const auto list = routes(*shared).table().list();
    EXPECT_EQ(described, (std::set<std::string>{list.begin(), list.end()}));
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

// Fields that an answer must have according to the description.
TEST_F(Api, AnswersWithTheFieldsOfItsDescription) {
    const auto required_of = [](const YAML::Node& schema) { return schema["required"].as<std::vector<std::string>>(); };
    const auto schemas = description()["components"]["schemas"];
    const auto has = [](const json::object& o, const std::vector<std::string>& fields) {
        return std::ranges::all_of(fields, [&](const std::string& f) { return o.contains(f); });
    };
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

} // namespace
} // namespace semel::api::test
