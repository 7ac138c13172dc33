// Audience files on their way in: streamed, sealed, once.

#include "support.hpp"

#include <audience/sealed_file.hpp>
#include <crypto/keys.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace semel::api::test {
namespace {

using testing::HasSubstr;
using namespace asio::experimental::awaitable_operators;

constexpr auto rows = "recipient_id,email\n4711,kim@example.com\n";

struct Uploads : Api {
    fs::path stored(const std::string& id, int number) const {
        return config.data_dir / "uploads" / id / std::to_string(number);
    }
    /// The stored file, opened with the campaign's key.
    std::string opened(const std::string& id, std::uint32_t number) {
        const base::campaign_id whose{id};
        const auto key = kek.unwrap(campaign(id).wrapped_key(), whose).value();
        auto reader = audience::sealed_reader::open(stored(id, static_cast<int>(number)), key,
                                                    {.campaign = whose, .number = number});
        std::string all;
        for (;;) {
            const auto piece = reader.value().next();
            if (!piece) {
                throw std::runtime_error{piece.error().why()};
            }
            if (piece->empty()) {
                return all;
            }
            all += *piece;
        }
    }
    std::string state_of(const std::string& id, int number) {
        return get("auditor", fmt::format("/v1/campaigns/{}/uploads/{}", id, number)).text("state");
    }
};

TEST_F(Uploads, BeyondTheLimitAreRefusedAndLeaveNothing) {
    config.limits.bytes = std::string_view{rows}.size();
    const auto id = create();
    EXPECT_EQ(upload(id, rows).status, 202U);
    const auto told_before = upload(id, std::string{rows} + "1");
    EXPECT_EQ(told_before.status, 413U);
    EXPECT_THAT(told_before.text("hint"), HasSubstr("limits.upload"));
    auto unknown_length = request("operator", "POST", "/v1/campaigns/" + id + "/uploads?format=csv");
    unknown_length.source = [left = std::string(100'000, 'x')](std::span<char> into) mutable {
        const auto n = std::min(into.size(), left.size());
        std::ranges::copy(std::string_view{left}.substr(0, n), into.begin());
        left.erase(0, n);
        return n;
    };
    const auto told_on_the_way = call(std::move(unknown_length));
    EXPECT_EQ(told_on_the_way.status, 413U) << told_on_the_way.body;
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 1U);
    EXPECT_EQ(outbox_of(wire::intake_work).size(), 1U);
}

TEST_F(Uploads, AreSealedOnDiskAndOrderedForImport) {
    const auto id = create();
    const auto answer = upload(id, rows);
    ASSERT_EQ(answer.status, 202U) << answer.body;
    EXPECT_EQ(answer.number("upload"), 1);
    EXPECT_EQ(answer.text("state"), "importing");
    EXPECT_FALSE(answer.object().at("known").as_bool());

    EXPECT_EQ(opened(id, 1), rows);
    std::ifstream file{stored(id, 1), std::ios::binary};
    const std::string raw{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_THAT(raw, testing::Not(HasSubstr("kim@example.com")));

    const auto work = outbox_of(wire::intake_work);
    ASSERT_EQ(work.size(), 1U);
    v1::ImportOrder order;
    ASSERT_TRUE(order.ParseFromString(work[0].value));
    EXPECT_EQ(order.campaign_id(), id);
    EXPECT_EQ(order.path(), "") << "intake finds the file by the ids";
    EXPECT_EQ(order.file_digest(), std::string{base::as_view(crypto::sha256(rows))});
    EXPECT_EQ(order.segment_names_size(), campaign(id).segment_names_size());
    EXPECT_THAT(order.slot_names(), testing::Contains("name"));
}

// Larger than any body that the server would take as a whole, and written in pieces of another size than it reads.
TEST_F(Uploads, MayBeLargerThanMemoryAllowsForABody) {
    const auto id = create();
    constexpr std::size_t size = 24'000'007;
    crypto::hasher expected;
    std::size_t sent = 0;
    auto r = request("operator", "POST", "/v1/campaigns/" + id + "/uploads");
    r.source = [&](std::span<char> into) -> std::size_t {
        const auto n = std::min({into.size(), std::size_t{77'777}, size - sent});
        for (std::size_t i = 0; i < n; ++i) {
            into[i] = static_cast<char>('a' + (sent + i) % 23);
        }
        expected.update({into.data(), n});
        sent += n;
        return n;
    };
    const auto answer = call(std::move(r));
    ASSERT_EQ(answer.status, 202U) << answer.body;
    v1::ImportOrder order;
    ASSERT_TRUE(order.ParseFromString(outbox_of(wire::intake_work).at(0).value));
    EXPECT_EQ(order.file_digest(), std::string{base::as_view(expected.finish())});
    EXPECT_EQ(opened(id, 1).size(), size);
}

TEST_F(Uploads, OfTheSameFileAreOne) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    const auto again = upload(id, rows);
    EXPECT_EQ(again.status, 202U);
    EXPECT_EQ(again.number("upload"), 1);
    EXPECT_TRUE(again.object().at("known").as_bool());
    tell(imported(id, 1));
    EXPECT_EQ(upload(id, rows).text("state"), "imported");
    EXPECT_EQ(outbox_of(wire::intake_work).size(), 1U);
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 1U);

    EXPECT_EQ(upload(id, "recipient_id,email\n1,other@example.com\n").number("upload"), 4)
        << "repetitions used up two numbers";
    EXPECT_EQ(upload(create(), rows).number("upload"), 1) << "another campaign has uploads of its own";
}

TEST_F(Uploads, OfTheSameFileAtTheSameTimeAreOne) {
    const auto id = create();
    answered one, two;
    play([&]() -> asio::awaitable<void> {
        return [](Uploads& t, const std::string& campaign, answered& a, answered& b) -> asio::awaitable<void> {
            const auto target = "/v1/campaigns/" + campaign + "/uploads";
            auto first = t.send(request("operator", "POST", target, rows), a);
            auto second = t.send(request("operator", "POST", target, rows), b);
            co_await (std::move(first) && std::move(second));
        }(*this, id, one, two);
    });
    EXPECT_EQ(one.status, 202U) << one.body;
    EXPECT_EQ(two.status, 202U) << two.body;
    EXPECT_EQ(one.number("upload"), two.number("upload"));
    EXPECT_EQ(outbox_of(wire::intake_work).size(), 1U);
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 1U);
    EXPECT_EQ(opened(id, static_cast<std::uint32_t>(one.number("upload"))), rows);
}

TEST_F(Uploads, ThatBreakOffLeaveNothing) {
    const auto id = create();
    auto r = request("operator", "POST", "/v1/campaigns/" + id + "/uploads");
    r.length = 1'000'000;
    r.source = [first = true](std::span<char> into) mutable -> std::size_t {
        if (!first) {
            throw std::runtime_error{"the disk of the sender broke"};
        }
        first = false;
        std::ranges::fill(into, 'x');
        return into.size();
    };
    EXPECT_THROW(call(std::move(r)), std::runtime_error);
    const auto until = std::chrono::steady_clock::now() + 10s;
    while ((get("operator", "/v1/campaigns/" + id + "/uploads/1").status != 404 ||
            files_below(config.data_dir / "uploads") != 0) &&
           std::chrono::steady_clock::now() < until) {
    }
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/1").status, 404U);
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 0U);
    EXPECT_TRUE(outbox_of(wire::intake_work).empty());
    EXPECT_EQ(upload(id, rows).number("upload"), 2) << "a number is never used again";
}

// Two processes of the api run, and one of them starts anew: only what its former self received is gone.
TEST_F(Uploads, OfAnApiThatDiedAreDroppedAndThoseOfAnotherGoOn) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    const auto folder = config.data_dir / "uploads" / id;
    for (const std::uint32_t number : {2U, 3U, 4U}) {
        std::ofstream{folder / (std::to_string(number) + ".part")} << "half";
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            EXPECT_EQ(store::begin_upload(tx, id, number == 2 ? "api" : "api-2"), number);
            tx.exec("UPDATE api.uploads SET heard = now() - interval '3 minutes' WHERE number = 4");
            tx.commit();
        });
    }
    db->run_blocking([&](pqxx::connection& c) { drop_broken_off_uploads(c, config.data_dir, "api"); });
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/2").status, 404U);
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/4").status, 404U) << "nobody has heard of its receiver";
    EXPECT_EQ(state_of(id, 3), "receiving") << "another process receives it";
    EXPECT_EQ(state_of(id, 1), "importing");
    EXPECT_EQ(files_below(folder), 2U);
    EXPECT_EQ(opened(id, 1), rows);
    EXPECT_EQ(upload(id, "recipient_id\n1\n").number("upload"), 5) << "the numbers of dead ones are not used again";
}

// The process stood still for minutes and wakes at the end of the file: the others have told its user to try again.
TEST_F(Uploads, ThatWereTakenForBrokenOffAreNotImported) {
    const auto id = create();
    auto r = request("operator", "POST", "/v1/campaigns/" + id + "/uploads");
    r.source = [&, sent = false](std::span<char> into) mutable -> std::size_t {
        if (std::exchange(sent, true)) {
            const auto until = std::chrono::steady_clock::now() + 10s;
            const auto gone = [&] {
                pqxx::connection c{config.postgres_dsn};
                pqxx::work tx{c};
                const bool dropped = !store::delete_broken_off_uploads(tx, shared->instance, upload_patience).empty();
                tx.commit();
                return dropped;
            };
            while (!gone() && std::chrono::steady_clock::now() < until) {
            }
            return 0;
        }
        std::ranges::copy(std::string_view{rows}, into.begin());
        return std::string_view{rows}.size();
    };
    const auto answer = call(std::move(r));
    EXPECT_EQ(answer.status, 503U) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("send the file again"));
    EXPECT_TRUE(outbox_of(wire::intake_work).empty());
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 0U);
}

TEST_F(Uploads, ThatCrossBecomeWavesInTheOrderOfTheirEnds) {
    const auto id = create();
    ASSERT_EQ(upload(id, "recipient_id\n1\n").number("upload"), 1);
    ASSERT_EQ(upload(id, rows).number("upload"), 2);
    tell(imported(id, 2));
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/2").number("wave"), 1);
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/1").number("wave"), -1) << "not a wave yet";
    ASSERT_EQ(step("operator", id, "seal").status, 200U);
    tell(imported(id, 1));
    tell(imported(id, 1));
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/1").number("wave"), 2);
    const auto c = campaign(id);
    ASSERT_EQ(c.waves_size(), 2);
    EXPECT_EQ(c.waves(0).upload(), 2U);
    EXPECT_EQ(c.waves(1).upload(), 1U);
}

TEST_F(Uploads, OfADroppedWaveMayBeSentAgain) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    tell(imported(id, 1));
    ASSERT_EQ(post("operator", "/v1/campaigns/" + id + "/waves/1/drop").status, 200U);
    EXPECT_EQ(state_of(id, 1), "dropped");
    const auto again = upload(id, rows);
    EXPECT_EQ(again.number("upload"), 2);
    EXPECT_FALSE(again.object().at("known").as_bool());
    tell(imported(id, 2));
    EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/2").number("wave"), 2);
}

TEST_F(Uploads, ThatWereRefusedMayBeSentAgain) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    v1::Feedback f;
    f.set_campaign_id(id);
    f.mutable_imported()->set_upload(1);
    f.mutable_imported()->set_refused(true);
    f.mutable_imported()->set_reason("line 2: not UTF-8; save it as UTF-8");
    tell(f);
    EXPECT_EQ(state_of(id, 1), "refused");
    EXPECT_THAT(get("operator", "/v1/campaigns/" + id + "/uploads/1").text("reason"), HasSubstr("line 2"));
    EXPECT_EQ(step("operator", id, "seal").status, 409U) << "nothing was imported";
    const auto again = upload(id, rows);
    EXPECT_EQ(again.number("upload"), 2);
    EXPECT_FALSE(again.object().at("known").as_bool());
}

TEST_F(Uploads, RefuseWhatIsNoFileOrNoDecision) {
    const auto id = create();
    EXPECT_EQ(upload(id, "").status, 400U);
    EXPECT_EQ(post("operator", "/v1/campaigns/" + id + "/uploads?accept_unreachable=yes", rows).status, 400U);
    EXPECT_EQ(upload(id, rows).status, 202U) << "neither took anybody's place";
}

// Above a tenth without an address is somebody's decision: it travels with the file, and stands in the record.
TEST_F(Uploads, SayWhoAcceptedThatManyCannotBeReached) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).status, 202U);
    ASSERT_EQ(post("operator", "/v1/campaigns/" + id + "/uploads?accept_unreachable=true",
                   "recipient_id,email\n1,\n2,kim@example.com\n")
                  .status,
              202U);
    std::vector<bool> accepted;
    for (const auto& row : outbox_of(wire::intake_work)) {
        v1::ImportOrder order;
        ASSERT_TRUE(order.ParseFromString(row.value));
        EXPECT_EQ(order.channels_size(), 3);
        accepted.push_back(order.accept_unreachable());
    }
    EXPECT_EQ(accepted, (std::vector<bool>{false, true}));
    EXPECT_THAT(events().back().text(), HasSubstr("however many have no usable address"));
}

TEST_F(Uploads, ShowWhatTheColumnsWereTakenFor) {
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    auto f = imported(id, 1);
    auto& findings = *f.mutable_imported()->mutable_findings();
    findings.set_unreachable(3);
    findings.add_warnings("not used: shoe_size");
    auto& column = *findings.add_columns();
    column.set_name("E-Mail");
    column.set_use("email");
    tell(f);
    const auto wave = get("operator", "/v1/campaigns/" + id + "/uploads/1");
    EXPECT_EQ(wave.number("unreachable"), 3);
    EXPECT_EQ(json::serialize(wave.object().at("warnings")), R"(["not used: shoe_size"])");
    EXPECT_EQ(json::serialize(wave.object().at("columns")), R"([{"name":"E-Mail","use":"email"}])");
}

TEST_F(Uploads, ShowWhatWasRejected) {
    make_ledger(); // where it is noted who looked
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    const auto target = "/v1/campaigns/" + id + "/uploads/1/rejects";
    EXPECT_EQ(get("operator", target).status, 404U) << "not imported yet";
    std::string list = "line,column,reason,effect\n";
    while (list.size() < 300'000) {
        list += "3,email,no address,address_left_out\n";
    }
    fs::create_directories(config.data_dir / "rejects");
    std::ofstream{config.data_dir / "rejects" / (id + "-1.csv"), std::ios::binary} << list;
    tell(imported(id, 1));
    const auto shown = get("operator", "/v1/campaigns/" + id + "/uploads/1");
    EXPECT_EQ(shown.number("wave"), 1);
    EXPECT_EQ(shown.number("rows"), 10);
    EXPECT_EQ(shown.number("rejected"), 1);
    EXPECT_TRUE(shown.object().at("has_rejects").as_bool());
    EXPECT_EQ(get("auditor", target).body, list);
    const auto noted = get("auditor", "/v1/lookups").object().at("lookups").as_array();
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(noted[0].as_object().at("what").as_string(), "rejects");
    EXPECT_EQ(noted[0].as_object().at("people").to_number<int>(), 1);
}

TEST_F(Uploads, ServeNoFileThatARecordNames) {
    make_ledger();
    const auto id = create();
    ASSERT_EQ(upload(id, rows).number("upload"), 1);
    fs::create_directories(config.data_dir / "rejects");
    std::ofstream{config.data_dir / "kek"} << "a secret beside the rejects";
    auto f = imported(id, 1);
    // Field 6, a string: where older versions of intake named the file.
    ASSERT_TRUE(f.mutable_imported()->MergeFromString(std::string{"\x32\x06../kek"}));
    tell(f);
    const auto shown = get("auditor", "/v1/campaigns/" + id + "/uploads/1/rejects");
    EXPECT_NE(shown.status, 200U);
    EXPECT_EQ(shown.body.find("a secret"), std::string::npos);
    std::ofstream{config.data_dir / "rejects" / (id + "-1.csv")} << "line,column,reason,effect\n";
    EXPECT_EQ(get("auditor", "/v1/campaigns/" + id + "/uploads/1/rejects").body, "line,column,reason,effect\n")
        << "the one of this upload, by its ids";
}

TEST_F(Uploads, HaveAFormatAndANumber) {
    const auto id = create();
    EXPECT_EQ(post("operator", "/v1/campaigns/" + id + "/uploads?format=xlsx", rows).status, 400U);
    for (const auto* number : {"0", "2", "one", "99999999999999999999", "-1"}) {
        EXPECT_EQ(get("operator", "/v1/campaigns/" + id + "/uploads/" + number).status, 404U) << number;
    }
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 0U);
}

} // namespace
} // namespace semel::api::test
