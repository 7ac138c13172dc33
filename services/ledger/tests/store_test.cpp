// What PostgreSQL answers about a campaign, line by line.

#include "store_rig.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <thread>

namespace semel::ledger {
namespace {

TEST_F(Ledger, KnowsTheSameLinesAsTheCore) {
    for (int seen = 0; seen < 32; ++seen) {
        for (int progress = 0; progress < 40; ++progress) {
            const auto sql = query("SELECT ledger.line_of($1, $2)", progress, seen)[0][0].as<int>();
            ASSERT_EQ(sql, static_cast<int>(line_of({progress, static_cast<std::uint8_t>(seen)})))
                << "progress " << progress << ", seen " << seen;
        }
    }
}

TEST_F(Ledger, AnUnknownCampaignHasAnEmptyCoverage) {
    EXPECT_EQ(coverage(), expected(0, 0, 0, 0, 0, 0));
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 0);
}

TEST_F(Ledger, RowsOfASealedWaveAreOutstandingUntilPlanReleasesThem) {
    write({s.sealed(1, 10, 2)});
    EXPECT_EQ(coverage(), expected(0, 0, 8, 0, 0, 2));
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {}),
           s.recipient("p", 1, 3, {"covered:a"}, v1::EVENT_RECIPIENT_REPEATED)});
    EXPECT_EQ(coverage(), expected(0, 0, 6, 0, 1, 2, 1)); // 5 waiting and p
}

TEST_F(Ledger, RowsOfADroppedWaveAreNotInTheCoverage) {
    write({s.sealed(1, 10, 2), s.sealed(2, 5, 1)});
    EXPECT_EQ(coverage(), expected(0, 0, 12, 0, 0, 3));
    write({s.dropped(2, 5)});
    EXPECT_EQ(coverage(), expected(0, 0, 8, 0, 0, 2));
    const auto waves = query("SELECT wave, sealed, rows FROM ledger.waves($1)", s.campaign);
    ASSERT_EQ(waves.size(), 2);
    EXPECT_FALSE(waves[1][1].as<bool>());

    // Events come at least once, and a batch may hold both.
    write({s.sealed(2, 5, 1)});
    write({s.dropped(2, 5), s.sealed(2, 5, 1)});
    write({s.sealed(3, 7), s.dropped(3, 7)});
    EXPECT_EQ(coverage(), expected(0, 0, 8, 0, 0, 2));
    write({s.dropped(4, 7)}); // never sealed
    write({s.sealed(4, 7)});
    EXPECT_EQ(coverage(), expected(0, 0, 8, 0, 0, 2));
}

TEST_F(Ledger, CoveredPeopleAreReachedByTheMessageOfAnotherRow) {
    write({s.sealed(1, 3), s.recipient("q", 1, 2, {"covered:a"})}); // before the row that carries it
    write({s.about(v1::EVENT_ACCEPTED, "a")});
    EXPECT_EQ(coverage(), expected(1, 0, 2, 0, 0, 0));
    EXPECT_EQ(email()["planned"], 0);
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("r", 1, 3, {"covered:a"})});
    EXPECT_EQ(coverage(), expected(3, 0, 0, 0, 0, 0));
    auto channel = email();
    EXPECT_EQ(channel["planned"], 1);
    EXPECT_EQ(channel["covered"], 2);
    EXPECT_EQ(channel["accepted"], 1);
}

TEST_F(Ledger, ABounceAfterAcceptanceMovesEverybodyUnlessItWasDelivered) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"covered:a"}), s.about(v1::EVENT_ACCEPTED, "a")});
    write({s.receipt("a", v1::RECEIPT_BOUNCED)});
    EXPECT_EQ(coverage(), expected(0, 0, 0, 2, 0, 0));
    EXPECT_EQ(email()["failed"], 1);
    EXPECT_EQ(email()["accepted"], 0);
    write({s.receipt("a", v1::RECEIPT_DELIVERED)});
    EXPECT_EQ(coverage(), expected(2, 0, 0, 0, 0, 0));
    EXPECT_EQ(email()["delivered"], 1);
}

// Two parts, or one; every order of the reports comes to the same.
TEST_F(Ledger, ReceiptsOfThePartsOfAnSmsCountTogether) {
    const auto good = v1::RECEIPT_DELIVERED, bad = v1::RECEIPT_BOUNCED, on_its_way = v1::RECEIPT_INTERMEDIATE;
    struct story {
        std::uint32_t parts;
        std::vector<std::pair<std::string, v1::ReceiptState>> reports;
        std::int64_t delivered, failed;
    };
    const std::vector<story> stories{
        {2, {{"1", good}}, 0, 0},
        {2, {{"1", good}, {"1", good}}, 0, 0},
        {2, {{"1", good}, {"2", good}}, 1, 0},
        {2, {{"1", good}, {"2", bad}}, 0, 1},
        {2, {{"1", bad}}, 0, 1},
        {2, {{"1", bad}, {"1", good}}, 0, 0},
        {2, {{"1", bad}, {"1", good}, {"2", good}}, 1, 0},
        {2, {{"1", on_its_way}, {"2", good}}, 0, 0},
        {1, {{"1", bad}, {"1", good}}, 1, 0},
        {1, {{"1", bad}}, 0, 1},
    };
    int n = 0;
    const auto sms = [&](const char* what) {
        return query("SELECT coalesce((SELECT " + std::string{what} +
                         " FROM ledger.channels($1) WHERE channel = 'sms'), "
                         "0)",
                     s.campaign)[0][0]
            .as<std::int64_t>();
    };
    for (const auto& [parts, reports, delivered, failed] : stories) {
        for (const bool backwards : {false, true}) {
            const auto name = fmt::format("m{}", ++n);
            auto row = s.recipient(name, 1, static_cast<std::uint64_t>(n), {"own:" + name});
            row.mutable_links(0)->set_channel(v1::CHANNEL_SMS);
            auto accepted = s.about(v1::EVENT_ACCEPTED, name);
            accepted.set_channel(v1::CHANNEL_SMS);
            accepted.set_parts(parts);
            std::vector<v1::Event> all{row, accepted};
            for (const auto& [part, state] : reports) {
                auto& e = all.emplace_back(s.receipt(name, state));
                e.set_id(wire::event_id(e.kind(), e.notification(), 1, part + std::to_string(state)));
                e.set_channel(v1::CHANNEL_SMS);
                e.set_gateway_message_id(part);
            }
            if (backwards) {
                std::ranges::reverse(all);
            }
            const auto delivered_before = sms("delivered"), failed_before = sms("failed");
            for (const auto& e : all) {
                write({e});
            }
            EXPECT_EQ(sms("delivered") - delivered_before, delivered) << name << (backwards ? ", backwards" : "");
            EXPECT_EQ(sms("failed") - failed_before, failed) << name << (backwards ? ", backwards" : "");
        }
    }
}

// The pure rule and the SQL that counts say the same of everything that can be reported of two parts.
TEST_F(Ledger, CountsPartsAsThePureRuleDoes) {
    for (int mask = 0; mask < 16; ++mask) {
        const auto name = fmt::format("c{}", mask);
        auto accepted = s.about(v1::EVENT_ACCEPTED, name);
        accepted.set_channel(v1::CHANNEL_SMS);
        accepted.set_parts(2);
        std::vector<v1::Event> all{accepted};
        std::array<part_reports, 2> reported;
        for (int bit = 0; bit < 4; ++bit) {
            if ((mask & 1 << bit) == 0) {
                continue;
            }
            const auto state = bit % 2 == 0 ? v1::RECEIPT_DELIVERED : v1::RECEIPT_BOUNCED;
            auto& e = all.emplace_back(s.receipt(name, state));
            e.set_id(wire::event_id(e.kind(), e.notification(), 1, std::to_string(bit)));
            e.set_channel(v1::CHANNEL_SMS);
            e.set_gateway_message_id(std::to_string(bit / 2));
            (bit % 2 == 0 ? reported.at(bit / 2).delivered : reported.at(bit / 2).bounced) = true;
        }
        write(all);
        EXPECT_EQ(query("SELECT ledger.facts_of_parts(ledger.number_of($1), $2)", s.campaign,
                        pqxx::binarystring{test::notification(name)})[0][0]
                      .as<int>(),
                  facts_of_parts(2, reported))
            << name;
    }
}

TEST_F(Ledger, DoubtIsOutstandingUntilThePolicyDecides) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.about(v1::EVENT_IN_DOUBT, "a")});
    EXPECT_EQ(coverage(), expected(0, 0, 1, 0, 0, 0));
    EXPECT_EQ(email()["doubtful"], 1);
    write({s.about(v1::EVENT_UNRESOLVED, "a")});
    EXPECT_EQ(coverage(), expected(0, 1, 0, 0, 0, 0));
    EXPECT_EQ(email()["in_doubt"], 1);
    EXPECT_EQ(email()["unresolved"], 1);
    write({s.about(v1::EVENT_RESENT, "a", 2)});
    EXPECT_EQ(coverage(), expected(0, 0, 1, 0, 0, 0));
    EXPECT_TRUE(query("SELECT 1 FROM ledger.in_doubt($1)", s.campaign).empty());
    write({s.about(v1::EVENT_ACCEPTED, "a", 2)});
    EXPECT_EQ(coverage(), expected(1, 0, 0, 0, 0, 0));
}

TEST_F(Ledger, AResendThatIsInDoubtOrRefusedDoesNotStayOutstanding) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"own:b"}), s.about(v1::EVENT_IN_DOUBT, "a"),
           s.about(v1::EVENT_IN_DOUBT, "b"), s.about(v1::EVENT_RESENT, "a", 2), s.about(v1::EVENT_RESENT, "b", 2)});
    EXPECT_EQ(email()["retrying"], 2);
    write({s.about(v1::EVENT_IN_DOUBT, "a", 2), s.about(v1::EVENT_FAILED, "b", 2)});
    EXPECT_EQ(email()["doubtful"], 1);
    EXPECT_EQ(coverage(), expected(0, 0, 1, 1, 0, 0));
    write({s.about(v1::EVENT_UNRESOLVED, "a", 2)});
    EXPECT_EQ(coverage(), expected(0, 1, 0, 1, 0, 0));
}

TEST_F(Ledger, AResendThatFailsLeavesItsPersonInDoubtAndListed) {
    auto turned_away = s.failed_resend("a", 2);
    turned_away.set_code("semel:cancelled");
    write({s.recipient("p", 1, 1, {"own:a"}), s.about(v1::EVENT_IN_DOUBT, "a"), s.about(v1::EVENT_RESENT, "a", 2),
           turned_away});
    EXPECT_EQ(coverage(), expected(0, 1, 0, 0, 0, 0));
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 0) << "the campaign may finish";
    auto left = s.about(v1::EVENT_UNRESOLVED, "a", 2);
    left.set_code("semel:cancelled");
    write({left});
    const auto listed = query(
        "SELECT attempt, state, decided_code, ledger.resends($1, notification) FROM ledger.in_doubt($1)", s.campaign);
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0][0].as<int>(), 2);
    EXPECT_EQ(listed[0][1].as<std::string>(), "unresolved");
    EXPECT_EQ(listed[0][2].as<std::string>(), "semel:cancelled");
    EXPECT_EQ(listed[0][3].as<int>(), 1);
    write({s.about(v1::EVENT_ACCEPTED, "a", 1)});
    EXPECT_EQ(coverage(), expected(1, 0, 0, 0, 0, 0));
    EXPECT_TRUE(query("SELECT * FROM ledger.in_doubt($1)", s.campaign).empty());
}

TEST_F(Ledger, ListsADoubtWithWhatItsEventsSay) {
    auto awaiting = s.about(v1::EVENT_AWAITING, "a");
    auto lost = s.about(v1::EVENT_IN_DOUBT, "a");
    lost.set_code("semel:lost");
    lost.set_text("after the final dot: connection reset");
    auto held = s.about(v1::EVENT_UNRESOLVED, "a", 2); // the resend was turned away: the doubt is about the first
    held.set_code("semel:cancelled");
    held.set_text("it may not be sent again");
    auto presumed = s.about(v1::EVENT_PRESUMED_SENT, "b");
    presumed.set_actor("alice");
    write({s.recipient("p", 1, 1, {"own:a"}), awaiting, lost, s.about(v1::EVENT_RESENT, "a", 2), held,
           s.receipt("a", v1::RECEIPT_UNKNOWN), s.recipient("q", 1, 2, {"own:b"}), presumed,
           s.recipient("r", 1, 3, {"own:c"}), s.about(v1::EVENT_IN_DOUBT, "c")});
    const auto listed = query("SELECT * FROM ledger.in_doubt($1)", s.campaign);
    ASSERT_EQ(listed.size(), 3U);
    const auto text = [&](int row, const char* column) { return listed[row][column].as<std::string>(); };
    EXPECT_EQ(pqxx::binarystring{listed[0]["notification"]}.str(), notification("a"));
    EXPECT_EQ(pqxx::binarystring{listed[0]["recipient_ref"]}.str(), person("p"));
    EXPECT_EQ(pqxx::binarystring{listed[0]["sealed"]}.str(), "sealed p");
    EXPECT_EQ(text(0, "gateway"), "relay-a");
    EXPECT_EQ(listed[0]["attempt"].as<int>(), 2) << "what a decision must name";
    EXPECT_EQ(text(0, "state"), "unresolved");
    EXPECT_EQ(listed[0]["since_us"].as<std::int64_t>(), awaiting.time_us()) << "from here the policy's time counts";
    EXPECT_EQ(text(0, "code"), "semel:lost");
    EXPECT_EQ(text(0, "text"), "after the final dot: connection reset");
    EXPECT_TRUE(listed[0]["resent"].as<bool>());
    EXPECT_EQ(listed[0]["unknown_receipts"].as<int>(), 1);
    EXPECT_EQ(text(0, "decided_code"), "semel:cancelled");
    EXPECT_EQ(text(0, "decided_text"), "it may not be sent again");
    EXPECT_EQ(text(1, "state"), "presumed_sent");
    EXPECT_EQ(text(1, "decided_by"), "alice");
    EXPECT_EQ(listed[1]["since_us"].as<std::int64_t>(), presumed.time_us()) << "nothing earlier is known";
    EXPECT_EQ(text(2, "state"), "waiting");
    EXPECT_EQ(text(2, "decided_text"), "");
    EXPECT_FALSE(listed[2]["resent"].as<bool>());
    EXPECT_EQ(email()["unresolved"], 1);
    EXPECT_EQ(email()["presumed_sent"], 1);
    EXPECT_EQ(email()["in_doubt"], 2);
}

TEST_F(Ledger, ListsWhatWasSentAgainInDoubtWhateverBecameOfIt) {
    const auto by_policy = s.about(v1::EVENT_RESENT, "a", 2);
    auto by_hand = s.about(v1::EVENT_RESENT, "b", 3);
    by_hand.set_actor("alice");
    auto certain = s.about(v1::EVENT_RESENT, "c", 2);
    certain.set_code("semel:refused-late");
    auto needless = s.about(v1::EVENT_FAILED, "a", 2);
    needless.set_code("semel:superseded");
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"own:b"}), s.recipient("r", 1, 3, {"own:c"}),
           by_policy, s.about(v1::EVENT_ACCEPTED, "a", 1), needless, s.about(v1::EVENT_RESENT, "b", 2), by_hand,
           certain, s.about(v1::EVENT_ACCEPTED, "c", 2)});
    const auto listed =
        query("SELECT recipient_ref, state, times, decided_by, withdrawn FROM ledger.resent($1)", s.campaign);
    ASSERT_EQ(listed.size(), 2U) << "a late refusal is certain: one copy";
    EXPECT_EQ(pqxx::binarystring{listed[0][0]}.str(), person("p"));
    EXPECT_EQ(listed[0][1].as<std::string>(), "accepted");
    EXPECT_EQ(listed[0][3].as<std::string>(), "");
    EXPECT_EQ(listed[0][4].as<int>(), 1) << "accepted at the first attempt, and the second was not sent";
    EXPECT_EQ(listed[1][1].as<std::string>(), "retrying");
    EXPECT_EQ(listed[1][4].as<int>(), 0);
    EXPECT_EQ(listed[1][2].as<int>(), 2);
    EXPECT_EQ(listed[1][3].as<std::string>(), "alice");
    EXPECT_EQ(email()["resent"], 2);
}

TEST_F(Ledger, APersonCountsOnceOverWavesAndChannels) {
    write({s.sealed(1, 2), s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"own:b"}),
           s.about(v1::EVENT_FAILED, "a"), s.about(v1::EVENT_ACCEPTED, "b")});
    EXPECT_EQ(coverage(), expected(1, 0, 0, 1, 0, 0));
    // The second wave brings p another address, tells q what is new, and repeats neither as a row of its own.
    write({s.sealed(2, 2), s.recipient("p", 2, 1, {"told:a", "own:c"}), s.recipient("q", 2, 2, {"told:b", "+own:d"})});
    EXPECT_EQ(coverage(), expected(1, 0, 1, 0, 0, 0));
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 2); // q's supplement is one of them
    EXPECT_EQ(email()["covered"], 0);
    write({s.about(v1::EVENT_ACCEPTED, "c"), s.about(v1::EVENT_FAILED, "d")});
    EXPECT_EQ(coverage(), expected(2, 0, 0, 0, 0, 0));
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 0);
}

TEST_F(Ledger, ACancelledCampaignCloses) {
    auto failed = s.about(v1::EVENT_FAILED, "a");
    failed.set_code("semel:cancelled");
    write({s.sealed(1, 2), s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"covered:a"}), failed});
    EXPECT_EQ(coverage(), expected(0, 0, 0, 2, 0, 0));
}

TEST_F(Ledger, RepeatedEventsChangeNothing) {
    const std::vector<v1::Event> events{s.sealed(1, 2, 1), s.recipient("p", 1, 1, {"own:a", "told:b"}),
                                        s.recipient("p", 1, 2, {}, v1::EVENT_RECIPIENT_REPEATED),
                                        s.about(v1::EVENT_ACCEPTED, "a"), s.receipt("a", v1::RECEIPT_DELIVERED)};
    write(events);
    const auto before = std::pair{coverage(), email()};
    write(events);
    auto twice = events;
    twice.insert(twice.end(), events.begin(), events.end());
    write(twice);
    EXPECT_EQ(std::pair(coverage(), email()), before);
    EXPECT_EQ(kinds("p"), (std::vector<std::string>{"recipient", "recipient_repeated", "accepted", "receipt"}));
}

TEST_F(Ledger, ARepeatedIdIsALineOfItsOwnAndItsMessageIsStillFollowed) {
    write({s.sealed(1, 4, 1), s.recipient("p", 1, 1, {"own:a"}),
           s.recipient("p", 1, 2, {"own:b"}, v1::EVENT_RECIPIENT_REPEATED),
           s.recipient("p", 1, 3, {"covered:a"}, v1::EVENT_RECIPIENT_REPEATED)});
    write({s.about(v1::EVENT_FAILED, "a")});
    EXPECT_EQ(coverage(), expected(0, 0, 0, 1, 0, 1, 2)) << "rejected is what could not be read";
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 1);
    write({s.about(v1::EVENT_ACCEPTED, "b")});
    EXPECT_EQ(coverage(), expected(0, 0, 0, 1, 0, 1, 2));
    EXPECT_EQ(query("SELECT ledger.open_messages($1)", s.campaign)[0][0].as<int>(), 0);
    const auto listed =
        query("SELECT wave, row, recipient_ref, sealed, own::text FROM ledger.repeated($1)", s.campaign);
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0][1].as<int>(), 2);
    EXPECT_EQ(pqxx::binarystring{listed[0][2]}.str(), person("p"));
    EXPECT_EQ(pqxx::binarystring{listed[0][3]}.str(), "sealed p");
    EXPECT_EQ(listed[0][4].as<std::string>(), "{email}") << "an address that no other row has";
    EXPECT_EQ(listed[1][4].as<std::string>(), "{}");
}

TEST_F(Ledger, TestMessagesStayOutside) {
    auto e = s.about(v1::EVENT_ACCEPTED, "a");
    e.set_test(true);
    write({e});
    EXPECT_EQ(coverage(), expected(0, 0, 0, 0, 0, 0));
    EXPECT_EQ(email()["accepted"], 0);
    EXPECT_EQ(query("SELECT 1 FROM ledger.events e WHERE e.campaign = ledger.number_of($1)", s.campaign).size(), 1U);
}

TEST_F(Ledger, ADeadLetterIsCountedAndItsMessageStaysOutstanding) {
    auto letter = s.about(v1::EVENT_DEAD_LETTER, "a");
    write({s.recipient("p", 1, 1, {"own:a"}), letter});
    write({letter});
    EXPECT_EQ(query("SELECT letters FROM ledger.dead_letters($1)", s.campaign)[0][0].as<int>(), 1);
    EXPECT_EQ(coverage(), expected(0, 0, 1, 0, 0, 0));
}

TEST_F(Ledger, TellsAPersonsStoryWithTheMessagesThatReachIt) {
    const auto p = s.recipient("p", 1, 1, {"own:a"});
    const auto q = s.recipient("q", 1, 2, {"covered:a", "own:b"});
    auto accepted = s.about(v1::EVENT_ACCEPTED, "a");
    accepted.set_content_sha256("hash");
    using namespace std::string_literals;
    accepted.set_text("with a zero \0 byte, a tab \t and a \\"s);
    auto bounced = s.receipt("a", v1::RECEIPT_BOUNCED);
    bounced.set_code("5.1.1");
    write({p, q, accepted, bounced, s.about(v1::EVENT_FAILED, "b")});
    EXPECT_EQ(kinds("p"), (std::vector<std::string>{"recipient", "accepted", "receipt"}));
    EXPECT_EQ(kinds("q"), (std::vector<std::string>{"recipient", "accepted", "receipt", "failed"}));
    const auto rows = query("SELECT code, text, content_sha256, to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD') FROM "
                            "ledger.story($1, $2)",
                            s.campaign, bytes(person("p")));
    EXPECT_EQ(rows[1][1].as<std::string>(), "with a zero  byte, a tab \t and a \\");
    EXPECT_EQ(pqxx::binarystring{rows[1][2]}.str(), "hash");
    EXPECT_EQ(rows[1][3].as<std::string>(), "2025-11-24");
    EXPECT_EQ(rows[2][0].as<std::string>(), "bounced 5.1.1");
    const auto links = query("SELECT role, notification, artifact, wave, row FROM ledger.links($1, $2)", s.campaign,
                             bytes(person("q")));
    ASSERT_EQ(links.size(), 2U);
    EXPECT_EQ(links[0][0].as<std::string>(), "covered");
    EXPECT_TRUE(links[0][2].is_null());
    EXPECT_EQ(pqxx::binarystring{links[1][1]}.str(), notification("b"));
    EXPECT_EQ(pqxx::binarystring{links[1][2]}.str(), "artifact");
    const auto rows_of =
        query("SELECT wave, row, sealed FROM ledger.recipient($1, $2)", s.campaign, bytes(person("q")));
    EXPECT_EQ(pqxx::binarystring{rows_of[0][2]}.str(), "sealed q");
}

TEST_F(Ledger, NamesEverybodyWhoWasNotReached) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.recipient("q", 1, 2, {"own:b"}), s.recipient("r", 1, 3, {}),
           s.about(v1::EVENT_ACCEPTED, "a"), s.about(v1::EVENT_FAILED, "b")});
    const auto rows = query("SELECT recipient_ref, line, sealed FROM ledger.unreached($1)", s.campaign);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(pqxx::binarystring{rows[0][0]}.str(), person("q"));
    EXPECT_EQ(rows[0][1].as<std::string>(), "failed");
    EXPECT_EQ(pqxx::binarystring{rows[0][2]}.str(), "sealed q");
    EXPECT_EQ(rows[1][1].as<std::string>(), "unreachable");
}

TEST_F(Ledger, CountsItsPaceFromWhatWasAcceptedJustNow) {
    write({s.recipient("p", 1, 1, {"own:a"}), s.about(v1::EVENT_ACCEPTED, "a"), s.about(v1::EVENT_ACCEPTED, "b")});
    EXPECT_DOUBLE_EQ(query("SELECT rate_per_s FROM ledger.channels($1)", s.campaign)[0][0].as<double>(), 0.2);
    write({s.receipt("a", v1::RECEIPT_DELIVERED)});
    EXPECT_DOUBLE_EQ(query("SELECT rate_per_s FROM ledger.channels($1)", s.campaign)[0][0].as<double>(), 0.2);
}

TEST_F(Ledger, MovesTheOffsetsOnlyFromWhereTheyAre) {
    batch b;
    ASSERT_TRUE(b.take(s.recipient("p", 1, 1, {"own:a"})));
    EXPECT_EQ(store_->write(*connection_, b, {{0, {.from = 5, .to = 9}}}), written::moved);
    EXPECT_EQ(coverage(), expected(0, 0, 0, 0, 0, 0));
    EXPECT_EQ(store_->write(*connection_, b, {{0, {.from = 0, .to = 9}}}), written::now);
    EXPECT_EQ(store_->write(*connection_, b, {{0, {.from = 0, .to = 9}}}), written::before);
    EXPECT_EQ(store_->positions(*connection_, {0, 1}), (std::map<std::int32_t, kafka::offset>{{0, 9}, {1, 0}}));
    // One of two partitions stands elsewhere: neither moves.
    EXPECT_EQ(store_->write(*connection_, b, {{0, {.from = 9, .to = 10}}, {1, {.from = 3, .to = 4}}}), written::moved);
    EXPECT_EQ(store_->positions(*connection_, {0, 1}), (std::map<std::int32_t, kafka::offset>{{0, 9}, {1, 0}}));
}

TEST_F(Ledger, ATransactionThatDiesLeavesNothing) {
    batch b;
    ASSERT_TRUE(b.take(s.recipient("p", 1, 1, {"own:a"})));
    write({s.sealed(1, 1)});
    {
        // Somebody holds the campaign, so the write stops in the middle, and is cut off there.
        pqxx::connection other{database_->dsn()};
        pqxx::work hold{other};
        hold.exec_params("SELECT pg_advisory_xact_lock(hashtext('semel.ledger'), ledger.number_of($1))", s.campaign);
        const auto pid = connection_->backendpid();
        std::jthread cut{[pid, dsn = database_->dsn()] {
            pqxx::connection c{dsn};
            pqxx::nontransaction tx{c};
            while (!tx.exec_params1("SELECT coalesce((SELECT wait_event = 'advisory' FROM pg_stat_activity WHERE pid = "
                                    "$1), true)",
                                    pid)[0]
                        .as<bool>()) {
            }
            tx.exec_params("SELECT pg_terminate_backend($1)", pid);
        }};
        EXPECT_THROW(store_->write(*connection_, b, {{0, {.from = 1, .to = 2}}}), pqxx::broken_connection);
    }
    connection_ = std::make_unique<pqxx::connection>(database_->dsn());
    EXPECT_EQ(store_->positions(*connection_, {0}).at(0), 1);
    EXPECT_EQ(coverage(), expected(0, 0, 1, 0, 0, 0));
    EXPECT_EQ(store_->write(*connection_, b, {{0, {.from = 1, .to = 2}}}), written::now);
    EXPECT_EQ(coverage(), expected(0, 0, 1, 0, 0, 0));
    EXPECT_EQ(kinds("p").size(), 1U);
}

TEST_F(Ledger, ManyMayMeetACampaignAtOnce) {
    store_->positions(*connection_, {0, 1, 2, 3});
    std::vector<std::jthread> all;
    for (int i = 0; i < 4; ++i) {
        all.emplace_back([this, i] {
            store mine{topic_};
            pqxx::connection c{database_->dsn()};
            story own{s.campaign};
            batch b;
            // Each has the leader of a message that reaches the next one's person.
            EXPECT_TRUE(b.take(own.recipient(fmt::format("p{}", i), 1, i + 1,
                                             {fmt::format("own:m{}", i), fmt::format("covered:m{}", (i + 1) % 4)})));
            EXPECT_TRUE(b.take(own.about(v1::EVENT_ACCEPTED, fmt::format("m{}", (i + 2) % 4))));
            EXPECT_EQ(mine.write(c, b, {{i, {.from = 0, .to = 1}}}), written::now);
        });
    }
    all.clear();
    EXPECT_EQ(coverage(), expected(4, 0, 0, 0, 0, 0));
    auto channel = email();
    EXPECT_EQ(channel["accepted"], 4);
    EXPECT_EQ(channel["covered"], 4);
}

} // namespace
} // namespace semel::ledger
