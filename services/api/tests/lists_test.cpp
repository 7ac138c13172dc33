// Long lists, and what must not wait for them: the steps that stop a campaign.

#include "doubts_support.hpp"

#include <runtime/race.hpp>

namespace semel::api::test {
namespace {

using testing::HasSubstr;

constexpr std::size_t many = 100'000;

struct Lists : Doubts {
    /// So many people without a usable address: nothing reached them.
    void tell_of_people(std::size_t count) {
        std::vector<v1::Event> told;
        for (std::size_t n = 1; n <= count; ++n) {
            const auto recipient_id = fmt::format("person-{}", n);
            const auto ref = crypto::recipient_ref_of(key, base::recipient_id{recipient_id});
            auto e = s.recipient(recipient_id, 1, n, {});
            e.set_recipient_ref(std::string{base::as_view(ref)});
            v1::Recipient who;
            who.set_recipient_id(recipient_id);
            who.set_name("Kim");
            e.set_sealed(wire::seal_recipient(key, base::as_view(ref), who));
            told.push_back(std::move(e));
            if (told.size() == 20'000 || n == count) {
                record(told);
                told.clear();
            }
        }
    }

    struct listing {
        unsigned status = 0;
        std::size_t lines = 0;
        std::string body; // of a refusal
        bool ended = false;
    };
    /// Reads the list to its end beside whatever else goes on.
    void begin(const std::string& user, const std::string& what, listing& into) {
        auto r = request(user, "GET", "/v1/campaigns/" + id + what);
        r.sink = [&into](std::string_view piece) {
            into.lines += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
        };
        asio::co_spawn(io, follow(std::move(r), into), asio::detached);
    }
    asio::awaitable<void> follow(http::client_request r, listing& into) {
        http::client client{
            io.get_executor(),
            {.base = fmt::format("http://127.0.0.1:{}", server->port()), .timeout = 120s * support::slowness}};
        const auto got = co_await client.send(std::move(r));
        into.status = got ? got->status : 0;
        into.body = got ? got->body : got.error().why();
        into.ended = true;
    }
    void wait_for(const std::function<bool()>& what) {
        play(
            [&]() -> asio::awaitable<void> {
                while (!what()) {
                    co_await runtime::sleep(1ms);
                }
            },
            180s * support::slowness);
    }
};

// The emergency stop. It took 19.6 s.
TEST_F(Lists, DoNotHoldUpThePauseOfACampaign) {
    tell_of_people(many);
    set_phase(v1::CAMPAIGN_RUNNING);
    std::vector<listing> lists(8);
    const std::vector<std::string> users{"operator", "approver", "auditor"};
    for (std::size_t n = 0; n < lists.size(); ++n) {
        begin(users[n % users.size()], "/unreached", lists[n]);
    }
    const auto began = std::chrono::steady_clock::now();
    const auto paused = step("operator", id, "pause");
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_EQ(paused.status, 200U) << paused.body;
    const auto read = [](const listing& l) { return l.ended && l.status == 200; };
    EXPECT_TRUE(std::ranges::none_of(lists, read)) << "a list ended first: the pause was not tried under this load";
    EXPECT_LT(took, 1s * support::slowness);

    wait_for([&] { return std::ranges::all_of(lists, &listing::ended); });
    EXPECT_EQ(std::ranges::count(lists, 200U, &listing::status), 6);
    for (const auto& l : lists) {
        if (l.status == 200) {
            EXPECT_EQ(l.lines, many + 1) << "everybody, and the header";
        } else {
            EXPECT_EQ(l.status, 429U) << l.body;
        }
    }
}

// Whoever decides about many doubts at once keeps nobody from stopping the campaign.
TEST_F(Lists, OfDoubtsAreDecidedWithoutHoldingTheCampaign) {
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", "")});
    pqxx::connection other{config.postgres_dsn};
    pqxx::work step{other};
    ASSERT_TRUE(store::lock_campaign(step, id));
    const auto decided = resolve("approver", "presume-sent");
    EXPECT_EQ(decided.status, 202U) << decided.body;
    EXPECT_EQ(resolved().size(), 1U);
}

TEST_F(Lists, AreTwoAtATimeForEachUser) {
    tell_of_people(20'000);
    std::vector<listing> lists(3);
    for (auto& l : lists) {
        begin("auditor", "/unreached", l);
    }
    wait_for([&] { return std::ranges::all_of(lists, &listing::ended); });
    EXPECT_EQ(std::ranges::count(lists, 200U, &listing::status), 2);
    const auto refused = std::ranges::find(lists, 429U, &listing::status);
    ASSERT_NE(refused, lists.end());
    EXPECT_THAT(refused->body, HasSubstr("two long lists"));
    EXPECT_EQ(get("auditor", "/v1/campaigns/" + id + "/unreached").status, 200U) << "places are given back";
}

} // namespace
} // namespace semel::api::test
