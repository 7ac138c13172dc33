// What PostgreSQL answers about people over campaigns that tell them again.

#include "store_rig.hpp"

#include <base/bytes.hpp>

#include <map>

namespace semel::ledger {
namespace {

struct People : Ledger {};

TEST_F(People, ListsAllRowsOfEachPersonWithWhatBecameOfTheirMessages) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"covered:a"}), s.recipient("r", 1, 3, {}),
           s.recipient("p", 1, 4, {"own:b"}, v1::EVENT_RECIPIENT_REPEATED), s.recipient("p", 2, 1, {"own:c"}),
           s.about(v1::EVENT_ACCEPTED, "a"), s.about(v1::EVENT_FAILED, "b")});
    const auto number = query("SELECT ledger.number_of($1)", s.campaign)[0][0].as<int>();
    const auto rows = query("SELECT recipient_ref, line, links, wave FROM ledger.people($1)", number);
    std::map<std::string, std::vector<std::string>> seen; // of each person, in the order that they came
    std::string before;
    for (const auto& row : rows) {
        const auto who = pqxx::binarystring{row[0]}.str();
        EXPECT_TRUE(who == before || !seen.contains(who)) << "rows of a person follow one another";
        before = who;
        seen[who].push_back(row[1].as<std::string>() + " " + row[2].as<std::string>());
    }
    const auto link = [](int line, const std::string& name) {
        return fmt::format("1 {} {}", line, base::to_hex(notification(name)));
    };
    EXPECT_EQ(seen[person("p")],
              (std::vector{"reached " + link(5, "a"), "reached " + link(4, "b"), "reached " + link(0, "c")}));
    EXPECT_EQ(seen[person("q")], (std::vector{"reached " + link(5, "a")}));
    EXPECT_EQ(seen[person("r")], (std::vector<std::string>{"unreachable "}));
}

TEST_F(People, CountsHowOftenPeopleWereToldOverCampaignsThatFollowOneAnother) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"own:b"}), s.recipient("r", 1, 3, {"own:c"}),
           s.recipient("u", 1, 4, {}), s.about(v1::EVENT_ACCEPTED, "a"), s.about(v1::EVENT_ACCEPTED, "b"),
           s.about(v1::EVENT_FAILED, "c")});
    // The same people under other names: each campaign has a key of its own.
    auto after = s;
    after.campaign += "-after";
    const auto again = [&](const std::string& who, const std::string& whom, std::uint64_t row) {
        auto e = after.recipient(who, 1, row, {"own:" + who});
        e.set_follows(person(whom));
        return e;
    };
    write({again("p2", "p", 1), again("r2", "r", 2), again("u2", "u", 3), after.recipient("new", 1, 4, {"own:new"}),
           after.about(v1::EVENT_ACCEPTED, "p2"), after.about(v1::EVENT_ACCEPTED, "r2"),
           after.about(v1::EVENT_ACCEPTED, "new")});
    std::map<int, int> told;
    for (const auto& row : query("SELECT times, people FROM ledger.told(ARRAY[$1, $2])", s.campaign, after.campaign)) {
        told[row[0].as<int>()] = row[1].as<int>();
    }
    EXPECT_EQ(told, (std::map<int, int>{{0, 1}, {1, 3}, {2, 1}})) << "u never; q, r and new once; p twice";
}

} // namespace
} // namespace semel::ledger
