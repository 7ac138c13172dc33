#include "truth.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <plan/core/leader.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace semel;
using plan::entry;
using plan::verdict;
using namespace semel::plan::testing;

namespace {

const crypto::campaign_key key = crypto::campaign_key::random();

v1::Campaign a_campaign(v1::Dedup dedup = v1::DEDUP_ADDRESS) {
    v1::Campaign c;
    c.set_id("c-property");
    c.set_dedup(dedup);
    c.add_channels(v1::CHANNEL_EMAIL);
    c.add_channels(v1::CHANNEL_PUSH);
    return c;
}

row a_row(std::uint32_t wave, std::uint64_t number, std::string id, std::uint32_t segments,
          std::vector<std::pair<v1::Channel, std::string>> addresses) {
    row r{wave, {}};
    r.recipient.set_row(number);
    r.recipient.set_recipient_id(std::move(id));
    r.recipient.set_segments(segments);
    for (auto& [channel, canonical] : addresses) {
        auto& a = *r.recipient.add_addresses();
        a.set_channel(channel);
        a.set_canonical(std::move(canonical));
    }
    return r;
}

/// The register as a map: what one process gathered, or what Redis holds.
class memory_register {
  public:
    void add(std::uint32_t wave, const plan::person& p) {
        put(wave, p.id, {p.mine.row, 0});
        for (const auto& at : p.places) {
            put(wave, at.key, p.mine);
        }
    }
    void add(const memory_register& other) {
        for (const auto& [where, e] : other.entries_) {
            put(where.first, where.second, e);
        }
    }
    entry at(std::uint32_t wave, const crypto::hash128& hash) const {
        const auto found = entries_.find({wave, hash});
        return found == entries_.end() ? entry{} : found->second;
    }
    std::optional<plan::decision> decide(std::uint32_t wave, const plan::person& p) const {
        std::vector<plan::standing> standings;
        for (const auto& place : p.places) {
            plan::standing s{.here = at(wave, place.key)};
            for (std::uint32_t w = 1; w < wave; ++w) {
                const auto e = at(w, place.key);
                s.told_earlier |= e.row != 0;
                s.told_segments |= e.segments;
            }
            standings.push_back(s);
        }
        return plan::decide(p, at(wave, p.id), standings);
    }
    bool operator==(const memory_register&) const = default;

  private:
    void put(std::uint32_t wave, const crypto::hash128& hash, entry e) {
        auto& known = entries_[{wave, hash}];
        known = merged(known, e);
    }
    std::map<std::pair<std::uint32_t, crypto::hash128>, entry> entries_;
};

plan::person person_of(const v1::Campaign& c, const row& r) {
    auto p = plan::person_of(key, c, r.recipient);
    EXPECT_TRUE(p) << (p ? "" : p.error().why());
    return *p;
}

std::vector<row> random_audience(std::mt19937_64& random) {
    const auto up_to = [&](std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>{0, n}(random); };
    std::vector<row> rows;
    const auto waves = 1 + up_to(2);
    for (std::uint32_t wave = 1; wave <= waves; ++wave) {
        const auto size = up_to(40);
        for (std::uint64_t n = 1; n <= size; ++n) {
            std::vector<std::pair<v1::Channel, std::string>> addresses;
            for (auto k = up_to(3); k > 0; --k) {
                addresses.emplace_back(static_cast<v1::Channel>(1 + up_to(2)), fmt::format("a{}", up_to(15)));
            }
            rows.push_back(a_row(wave, n, fmt::format("id{}", up_to(60)), static_cast<std::uint32_t>(up_to(7)),
                                 std::move(addresses)));
        }
    }
    return rows;
}

} // namespace

TEST(Leader, MergingNeitherCaresAboutOrderNorRepetition) {
    for (std::uint32_t a = 0; a < 5; ++a) {
        for (std::uint32_t b = 0; b < 5; ++b) {
            const entry x{a, a == 0 ? 0U : 1U << a};
            const entry y{b, b == 0 ? 0U : 1U << b};
            EXPECT_EQ(merged(x, y), merged(y, x));
            EXPECT_EQ(merged(merged(x, y), y), merged(x, y));
            EXPECT_EQ(merged(x, {}), x);
        }
    }
}

TEST(Leader, IsTheSmallestRowOfAnAddressAndCarriesEverybodysSegments) {
    const auto c = a_campaign();
    const auto kim = person_of(c, a_row(1, 1, "kim", 0, {{v1::CHANNEL_EMAIL, "x@example.com"}}));
    const auto lee = person_of(c, a_row(1, 2, "lee", 1, {{v1::CHANNEL_EMAIL, "x@example.com"}}));
    memory_register redis;
    redis.add(1, lee);
    redis.add(1, kim);
    const auto carries = redis.decide(1, kim);
    ASSERT_TRUE(carries);
    EXPECT_EQ(carries->verdicts, (std::vector<verdict>{{0, plan::role::own, false, 1}}));
    const auto covered = redis.decide(1, lee);
    ASSERT_TRUE(covered);
    EXPECT_EQ(covered->verdicts, (std::vector<verdict>{{0, plan::role::covered, false, 1}}));
}

TEST(Leader, ALaterWaveTellsOnlyWhatIsNew) {
    const auto c = a_campaign();
    const auto first = person_of(c, a_row(1, 1, "kim", 1, {{v1::CHANNEL_EMAIL, "x@example.com"}}));
    const auto again =
        person_of(c, a_row(2, 1, "kim", 3, {{v1::CHANNEL_EMAIL, "x@example.com"}, {v1::CHANNEL_PUSH, "t"}}));
    memory_register redis;
    redis.add(1, first);
    redis.add(2, again);
    const auto d = redis.decide(2, again);
    ASSERT_TRUE(d);
    EXPECT_FALSE(d->rejected) << "in a later wave the same recipient id is an update";
    EXPECT_EQ(d->verdicts,
              (std::vector<verdict>{
                  {0, plan::role::told, false, 1}, {0, plan::role::own, true, 2}, {1, plan::role::own, false, 3}}));
}

TEST(Leader, WithDedupAccountASharedAddressGetsAMessageForEach) {
    const auto c = a_campaign(v1::DEDUP_ACCOUNT);
    memory_register redis;
    std::vector<plan::person> people;
    for (std::uint64_t n = 1; n <= 3; ++n) {
        people.push_back(person_of(c, a_row(1, n, fmt::format("id{}", n), 0, {{v1::CHANNEL_EMAIL, "x@example.com"}})));
        redis.add(1, people.back());
    }
    for (const auto& p : people) {
        EXPECT_EQ(redis.decide(1, p)->verdicts, (std::vector<verdict>{{0, plan::role::own, false, 0}}));
    }
}

TEST(Leader, ARejectedDoubleStillCarriesTheMessageOfAnAddressThatItLeads) {
    const auto c = a_campaign();
    const auto kim = person_of(c, a_row(1, 1, "kim", 0, {{v1::CHANNEL_EMAIL, "kim@example.com"}}));
    const auto twin = person_of(c, a_row(1, 2, "kim", 0, {{v1::CHANNEL_EMAIL, "shared@example.com"}}));
    const auto lee = person_of(c, a_row(1, 3, "lee", 0, {{v1::CHANNEL_EMAIL, "shared@example.com"}}));
    memory_register redis;
    for (const auto& p : {kim, twin, lee}) {
        redis.add(1, p);
    }
    EXPECT_FALSE(redis.decide(1, kim)->rejected);
    EXPECT_TRUE(redis.decide(1, twin)->rejected);
    EXPECT_EQ(redis.decide(1, twin)->verdicts.at(0).role, plan::role::own);
    EXPECT_EQ(redis.decide(1, lee)->verdicts.at(0).role, plan::role::covered);
}

TEST(Leader, ARegisterThatForgotSomethingDecidesNothing) {
    const auto c = a_campaign();
    const auto lee = person_of(c, a_row(1, 5, "lee", 2, {{v1::CHANNEL_EMAIL, "x@example.com"}}));
    const auto decided = [&](entry id, entry address) {
        const plan::standing s{.here = address};
        return plan::decide(lee, id, {&s, 1}).has_value();
    };
    EXPECT_TRUE(decided({5, 0}, {5, 2}));
    EXPECT_TRUE(decided({1, 0}, {3, 7}));
    EXPECT_FALSE(decided({}, {5, 2})) << "the id is gone";
    EXPECT_FALSE(decided({5, 0}, {})) << "the address is gone";
    EXPECT_FALSE(decided({5, 0}, {6, 2})) << "a leader behind this row: its own entry was lost";
    EXPECT_FALSE(decided({6, 0}, {5, 2}));
    EXPECT_FALSE(decided({5, 0}, {5, 1})) << "its own segments were lost";
}

TEST(Leader, RowsThatCannotBeRegisteredAreMalformed) {
    const auto c = a_campaign();
    EXPECT_FALSE(plan::person_of(key, c, a_row(1, 0, "kim", 0, {}).recipient));
    EXPECT_FALSE(plan::person_of(key, c, a_row(1, 1ULL << 32, "kim", 0, {}).recipient));
    EXPECT_FALSE(plan::person_of(key, c, a_row(1, 1, "", 0, {}).recipient));
}

TEST(Leader, OneRowWithAnAddressTwiceHasItOnceAndOtherChannelsDoNotCount) {
    const auto p = person_of(a_campaign(), a_row(1, 1, "kim", 0,
                                                 {{v1::CHANNEL_PUSH, "t"},
                                                  {v1::CHANNEL_SMS, "+8210000"},
                                                  {v1::CHANNEL_PUSH, "t"},
                                                  {v1::CHANNEL_PUSH, "u"},
                                                  {v1::CHANNEL_EMAIL, ""}}));
    ASSERT_EQ(p.places.size(), 2U);
    EXPECT_EQ(p.places[0].index, 0);
    EXPECT_EQ(p.places[1].index, 3);
}

/// Random audiences of several waves, registered by several processes in any order with repetitions, released row by
/// row in any order: what comes out is the truth, everybody is accounted for once, and nobody misses advice.
TEST(Leader, WhatIsReleasedIsAFunctionOfTheAudienceAlone) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        std::mt19937_64 random{seed};
        const auto c = a_campaign(seed % 2 == 0 ? v1::DEDUP_ADDRESS : v1::DEDUP_ACCOUNT);
        auto rows = random_audience(random);
        const auto expected = truth(c, rows);

        std::array<memory_register, 3> processes;
        for (int pass = 0; pass < 2; ++pass) {
            std::ranges::shuffle(rows, random);
            for (const auto& r : rows) {
                processes[random() % processes.size()].add(r.wave, person_of(c, r)); // the second pass is a repetition
            }
        }
        memory_register redis;
        for (const auto& p : processes) {
            redis.add(p);
        }

        std::multiset<message> released;
        std::map<std::string, std::map<std::uint32_t, std::uint32_t>> sent; // address -> wave -> segments
        std::map<std::pair<std::uint32_t, std::string>, int> accepted_ids;
        std::ranges::shuffle(rows, random);
        for (const auto& r : rows) {
            const auto p = person_of(c, r);
            const auto d = redis.decide(r.wave, p);
            ASSERT_TRUE(d);
            accepted_ids[{r.wave, r.recipient.recipient_id()}] += d->rejected ? 0 : 1;
            std::vector<int> lines(p.places.size());
            for (const auto& v : d->verdicts) {
                lines[v.place] += v.supplement ? 0 : 1;
                if (v.role == plan::role::own) {
                    const auto name = name_of(c, r.recipient, r.recipient.addresses(p.places[v.place].index));
                    released.emplace(name, r.wave, r.recipient.row(), v.supplement, v.segments);
                    sent[name][r.wave] |= v.segments;
                }
            }
            EXPECT_TRUE(std::ranges::all_of(lines, [](int n) { return n == 1; }))
                << "an address has one line for a row";
            const auto usable = std::ranges::count_if(r.recipient.addresses(), counts);
            EXPECT_EQ(d->verdicts.empty(), usable == 0) << "unreachable is who has no address, and nobody else";
        }
        EXPECT_EQ(released, expected);
        for (const auto& [id, times] : accepted_ids) {
            EXPECT_EQ(times, 1) << "one row of each recipient id counts: " << id.second;
        }
        for (const auto& r : rows) {
            for (const auto& a : r.recipient.addresses()) {
                if (counts(a)) {
                    std::uint32_t heard = 0;
                    for (const auto& [wave, segments] : sent[name_of(c, r.recipient, a)]) {
                        heard |= wave <= r.wave ? segments : 0;
                    }
                    EXPECT_EQ(heard & r.recipient.segments(), r.recipient.segments()) << "somebody misses advice";
                }
            }
        }
    }
}
