#include <delivery/core/checkpoint.hpp>
#include <delivery/core/window.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace semel;
using delivery::bitmap;
using delivery::checkpoint;
using delivery::range;
using delivery::window;

namespace {

range fresh_range(kafka::offset at = 0) {
    return {.next = at, .end = at, .settled = {}};
}

void arrive(window& w, std::initializer_list<kafka::offset> offsets) {
    for (const auto o : offsets) {
        w.arrived(o);
    }
}

} // namespace

TEST(Window, PassesByWhatIsNoRecord) {
    window w{fresh_range()};
    w.passed(50);
    EXPECT_TRUE(w.dirty()) << "else what lies at the end is counted as waiting for ever";
    EXPECT_EQ(w.propose().next, 50);
    w.committed(w.propose());
    EXPECT_FALSE(w.dirty());
    arrive(w, {50});
    w.passed(60);
    EXPECT_EQ(w.propose().next, 50) << "not before the one in front of it is settled";
    w.reserve(1);
    w.committed(w.propose());
    w.settle(50);
    EXPECT_EQ(w.propose().next, 60);
    w.passed(55);
    EXPECT_EQ(w.propose().next, 60);
}

TEST(Window, SendsNothingBeforeItsReservationIsCommitted) {
    window w{fresh_range()};
    arrive(w, {0, 1, 2});
    EXPECT_FALSE(w.sendable(0));
    w.reserve(2);
    EXPECT_FALSE(w.sendable(0)) << "asked for, not committed";
    w.committed(w.propose());
    EXPECT_TRUE(w.sendable(0));
    EXPECT_TRUE(w.sendable(1));
    EXPECT_FALSE(w.sendable(2));
}

TEST(Window, TheLowWaterPassesOnlyTheSettledPrefix) {
    window w{fresh_range()};
    arrive(w, {0, 1, 2, 3});
    w.reserve(4);
    w.committed(w.propose());
    w.settle(2);
    w.settle(0);
    const auto said = w.propose();
    EXPECT_EQ(said.next, 1);
    EXPECT_EQ(said.end, 4);
    EXPECT_FALSE(said.settled.test(0)); // offset 1
    EXPECT_TRUE(said.settled.test(1));  // offset 2
    EXPECT_FALSE(said.settled.test(2));
}

TEST(Window, GapsOfTransactionMarkersDoNotHoldTheLowWater) {
    window w{fresh_range(10)};
    arrive(w, {10, 15, 21});
    w.reserve(3);
    w.committed(w.propose());
    for (const auto o : {10, 15, 21}) {
        w.settle(o);
    }
    EXPECT_EQ(w.propose().next, 22);
    EXPECT_EQ(w.unsettled(), 0U);
}

TEST(Window, AnInheritedRangeSkipsWhatIsSettledAndSuspectsTheRest) {
    bitmap settled;
    settled.set(1);
    window w{range{.next = 5, .end = 8, .settled = settled}};
    EXPECT_EQ(w.arrived(5), window::arrival::inherited);
    EXPECT_EQ(w.arrived(6), window::arrival::done);
    EXPECT_EQ(w.arrived(7), window::arrival::inherited);
    EXPECT_EQ(w.arrived(8), window::arrival::fresh);
}

TEST(Window, ACommitBeforeTheInheritedRangeIsReadKeepsWhatItsOwnerKnew) {
    bitmap settled;
    settled.set(0);
    settled.set(3);
    window w{range{.next = 5, .end = 10, .settled = settled}};
    auto said = w.propose(); // taking over: the range unchanged
    EXPECT_EQ(said.next, 5);
    EXPECT_EQ(said.end, 10);
    EXPECT_TRUE(said.settled.test(0));
    EXPECT_TRUE(said.settled.test(3));
    EXPECT_FALSE(said.settled.test(1));
    w.arrived(5);
    w.arrived(6);
    said = w.propose();
    EXPECT_EQ(said.next, 6);
    EXPECT_TRUE(said.settled.test(2)) << "offset 8, not yet read back";
}

TEST(Window, ReservesNoMoreThanACheckpointHolds) {
    window w{fresh_range()};
    for (kafka::offset o = 0; o < window::max_span + 100; ++o) {
        w.arrived(o);
    }
    w.reserve(1'000'000);
    EXPECT_EQ(w.propose().end, window::max_span);
    w.committed(w.propose());
    for (kafka::offset o = 1; o < window::max_span; ++o) {
        w.settle(o); // the worst bitmap: all but the first
    }
    checkpoint c{.owner = ~0ULL, .transaction = ~0ULL, .marker = {}, .range = w.propose()};
    EXPECT_LE(encode(c).size(), 4'096U);
}

TEST(Window, ARecordSettledTwiceIsABug) {
    window w{fresh_range()};
    arrive(w, {0, 1, 2});
    w.reserve(2);
    w.committed(w.propose());
    w.settle(1);
    EXPECT_THROW(w.settle(1), std::logic_error);
    EXPECT_THROW(w.settle(9), std::logic_error);
    EXPECT_THROW(w.settle(2), std::logic_error) << "its event would be in Kafka, and no commit could say so";
}

TEST(Window, KnowsWhenAnInheritedRangeHasArrivedWhole) {
    window w{range{.next = 5, .end = 8, .settled = {}}};
    arrive(w, {5, 6});
    EXPECT_FALSE(w.inherited_arrived());
    w.arrived(9); // 7 and 8 are markers of transactions
    EXPECT_TRUE(w.inherited_arrived());
}

// The property: owners come and go, each may die at any moment; commits may be lost with the owner. Sending is
// irreversible. Whatever happens, a record is sent at most once, unless its last owner could not know and suspected it.
TEST(Window, OverAnyCrashesNothingIsSentTwiceAndNothingIsLost) {
    for (unsigned seed = 0; seed < 400; ++seed) {
        std::mt19937 random{seed};
        const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };

        std::vector<kafka::offset> log; // with gaps
        for (kafka::offset o = 0; log.size() < 300; ++o) {
            if (!chance(10)) {
                log.push_back(o);
            }
        }
        std::map<kafka::offset, int> sent;
        std::set<kafka::offset> settled_for_ever; // in a committed transaction
        std::set<kafka::offset> suspected;
        std::string stored;
        kafka::offset stored_next = 0;

        for (int owner = 0; owner < 200 && settled_for_ever.size() < log.size(); ++owner) {
            auto said = delivery::decode_checkpoint(stored_next, stored).value();
            window w{said.range};
            std::vector<kafka::offset> here;
            std::set<kafka::offset> settled_here; // not yet committed
            auto next = std::ranges::lower_bound(log, stored_next);
            bool alive = true;
            while (alive) {
                for (int n = 0; n < 7 && next != log.end(); ++n, ++next) {
                    switch (w.arrived(*next)) {
                    case window::arrival::done:
                        break;
                    case window::arrival::fresh:
                        here.push_back(*next);
                        break;
                    case window::arrival::inherited: // without claims all of these are in doubt
                        suspected.insert(*next);
                        w.settle(*next);
                        settled_here.insert(*next);
                        break;
                    }
                }
                std::ranges::shuffle(here, random);
                std::erase_if(here, [&](kafka::offset o) {
                    if (!w.sendable(o) || chance(30)) {
                        return false;
                    }
                    ++sent[o];
                    if (chance(70)) {
                        w.settle(o);
                        settled_here.insert(o);
                        return true;
                    }
                    return true; // sent, the answer never comes in this life
                });
                w.reserve(random() % 9);
                if (chance(60)) {
                    const auto proposal = w.propose();
                    if (chance(10)) {
                        alive = false; // died in the commit: it may have succeeded or not
                    }
                    if (alive || chance(50)) {
                        stored = encode(checkpoint{.owner = 1, .transaction = 1, .marker = {}, .range = proposal});
                        stored_next = proposal.next;
                        settled_for_ever.insert(settled_here.begin(), settled_here.end());
                        w.committed(proposal);
                    }
                }
                if (chance(5)) {
                    alive = false;
                }
                if (next == log.end() && here.empty() && chance(50)) {
                    alive = false;
                }
            }
        }
        ASSERT_EQ(settled_for_ever.size(), log.size()) << "seed " << seed << ": something is lost";
        for (const auto o : log) {
            ASSERT_LE(sent[o], 1) << "seed " << seed << ": offset " << o << " was sent twice";
            ASSERT_TRUE(sent[o] == 1 || suspected.contains(o)) << "seed " << seed << ": offset " << o << " never went";
        }
    }
}

TEST(Checkpoint, ReadsBackWhatItWrote) {
    bitmap settled;
    settled.set(2);
    settled.set(77);
    checkpoint c{
        .owner = 7, .transaction = 1ULL << 40, .marker = {}, .range = {.next = 100, .end = 300, .settled = settled}};
    c.marker[0] = 0xff;
    c.marker[15] = 1;
    c.claims_lost_below = 200;
    const auto back = delivery::decode_checkpoint(100, encode(c)).value();
    EXPECT_EQ(back.owner, 7U);
    EXPECT_EQ(back.transaction, 1ULL << 40);
    EXPECT_EQ(back.marker, c.marker);
    EXPECT_EQ(back.range.end, 300);
    EXPECT_EQ(back.range.settled.bytes(), settled.bytes());
    EXPECT_EQ(back.claims_lost_below, 200);
}

TEST(Checkpoint, ForgetsTheLossOfClaimsOnceTheRangeHasPassedIt) {
    const checkpoint c{.range = {.next = 100, .end = 300, .settled = {}}, .claims_lost_below = 90};
    EXPECT_EQ(delivery::decode_checkpoint(100, encode(c)).value().claims_lost_below, 0);
}

TEST(Checkpoint, AnUnownedPartitionHasAnEmptyString) {
    const auto fresh = delivery::decode_checkpoint(5, "").value();
    EXPECT_EQ(fresh.owner, 0U);
    EXPECT_EQ(fresh.range.next, 5);
    EXPECT_EQ(fresh.range.end, 5);
}

TEST(Checkpoint, ForeignMetadataIsRefusedRatherThanGuessed) {
    EXPECT_FALSE(delivery::decode_checkpoint(0, "hello"));
    EXPECT_FALSE(delivery::decode_checkpoint(0, "AQID"));
    checkpoint c{.range = {.next = 0, .end = 10, .settled = {}}};
    auto text = encode(c);
    text[0] = 'B'; // another version
    EXPECT_FALSE(delivery::decode_checkpoint(0, text));
    checkpoint wide{.range = {.next = 0, .end = window::max_span + 1, .settled = {}}};
    EXPECT_FALSE(delivery::decode_checkpoint(0, encode(wide)));
}
