#pragma once
// The api in this process: its routes behind a real HTTP server, over a PostgreSQL database of its own.

#include <base/bytes.hpp>
#include <http/client.hpp>
#include <http/json.hpp>
#include <http/server.hpp>
#include <notice/compile.hpp>
#include <notice/source.hpp>
#include <runtime/condition.hpp>

#include <api/edge/api.hpp>
#include <api/edge/background.hpp>
#include <api/edge/first_users.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <ledger/schema.hpp>
#include <support/backing.hpp>
#include <support/records.hpp>
#include <support/slowness.hpp>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

namespace semel::api::test {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

using support::postgres;

/// A database with this name instead of the one that the URI names.
inline std::string dsn_of(const std::string& database) {
    auto dsn = postgres();
    const auto end = std::min(dsn.find('?'), dsn.size());
    const auto slash = dsn.rfind('/', end);
    return dsn.replace(slash + 1, end - slash - 1, database);
}

inline void administer(const std::string& sql) {
    pqxx::connection c{postgres()};
    pqxx::nontransaction tx{c};
    tx.exec(sql);
}

class Api : public testing::Test {
  public:
    struct answered {
        unsigned status = 0;
        std::string body;
        json::object object() const {
            const auto v = json::read(body);
            return v && v->is_object() ? v->get_object() : json::object{};
        }
        std::string text(std::string_view key) const {
            const auto o = object();
            const auto* found = json::find_text(o, key);
            return found == nullptr ? std::string{} : std::string{*found};
        }
        std::int64_t number(std::string_view key) const {
            const auto o = object();
            const auto* found = o.if_contains(key);
            return found == nullptr ? -1 : found->to_number<std::int64_t>();
        }
    };

    void SetUp() override {
        static int count = 0;
        database_ = fmt::format("api_test_{}_{}", ::getpid(), ++count);
        administer("CREATE DATABASE " + database_);
        std::string name = (fs::temp_directory_path() / "semel-api-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        config.postgres_dsn = dsn_of(database_);
        config.data_dir = folder / "data";
        config.tokens_dir = folder / "tokens";
        config.partitions = 64; // says somebody who has not asked Kafka
        fs::create_directories(config.tokens_dir);
        for (const auto* user : {"operator", "approver", "product", "auditor", "administrator"}) {
            write_token(user, token_of(user));
        }
        db.emplace(config.postgres_dsn, 2);
        steps.emplace(config.postgres_dsn, 2);
        lists.emplace(config.postgres_dsn, 2);
        redis.emplace(io.get_executor(), redis::client_options{.port = support::redis_port()});
        db->run_blocking([&](pqxx::connection& c) {
            store::migrate(c);
            adopt_users(c, config.tokens_dir);
        });
        shared.emplace(services{
            .executor = io.get_executor(),
            .config = config,
            .instance = database_,
            .db = *db,
            .steps = *steps,
            .lists = *lists,
            .redis = *redis,
            .outbox = outbox,
            .disk = disk,
            .keys = kek,
            .topics = {.events = 4,
                       .orders = 4,
                       .dispatch = {{base::channel::email, 4}, {base::channel::push, 4}, {base::channel::sms, 4}}},
            .time =
                [this] {
                    const auto now = base::now();
                    return base::known_time{.best = now,
                                            .certain = time_is_certain ? std::optional{now} : std::nullopt};
                },
            .turned_away = denials{{.free = 10'000}}});
        server.emplace(io.get_executor(), http::server_options{}, routes(*shared).router());
        asio::co_spawn(io, server->run(), asio::detached);
    }
    void TearDown() override {
        if (server) {
            play([this]() -> asio::awaitable<void> { return stop_server(); });
        }
        server.reset();
        redis.reset();
        lists.reset();
        steps.reset();
        db.reset();
        administer("DROP DATABASE IF EXISTS " + database_);
        fs::remove_all(folder);
    }
    asio::awaitable<void> stop_server() { co_await server->stop(5s); }

    static std::string token_of(const std::string& user) { return user + std::string(32, 'x'); }
    void write_token(const std::string& user, const std::string& token, unsigned mode = 0600) const {
        std::ofstream{config.tokens_dir / user} << token << '\n';
        fs::permissions(config.tokens_dir / user, static_cast<fs::perms>(mode));
    }

    /// Runs until the coroutine has ended; rethrows.
    void play(const std::function<asio::awaitable<void>()>& story,
              std::chrono::seconds deadline = 30s * support::slowness) {
        bool ended = false;
        std::exception_ptr failure;
        asio::co_spawn(io, story(), [&](std::exception_ptr thrown) {
            failure = thrown;
            ended = true;
        });
        const auto until = std::chrono::steady_clock::now() + deadline;
        while (!ended && std::chrono::steady_clock::now() < until) {
            io.restart();
            io.run_one_until(until);
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
        ASSERT_TRUE(ended) << "the story did not end in time";
    }

    asio::awaitable<void> send(http::client_request request, answered& into) {
        http::client client{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", server->port())}};
        auto got = co_await client.send(std::move(request));
        if (!got) {
            throw std::runtime_error{got.error().why()};
        }
        into.status = got->status;
        into.body = std::move(got->body);
    }
    static http::client_request request(const std::string& user, const std::string& method, std::string target,
                                        std::string body = {}) {
        http::client_request r;
        r.method = method;
        r.target = std::move(target);
        r.body = std::move(body);
        if (!user.empty()) {
            r.headers.emplace_back("Authorization", "Bearer " + token_of(user));
        }
        return r;
    }
    answered call(http::client_request r) {
        answered out;
        play([&]() -> asio::awaitable<void> { return send(std::move(r), out); });
        return out;
    }
    answered get(const std::string& user, std::string target) { return call(request(user, "GET", std::move(target))); }
    answered post(const std::string& user, std::string target, std::string body = {}) {
        return call(request(user, "POST", std::move(target), std::move(body)));
    }

    static notice::files files_of_notice() {
        auto files = notice::load_folder("notices/follow-up");
        if (!files) {
            throw std::runtime_error{files.error().why()};
        }
        return std::move(*files);
    }
    static json::object new_campaign(const notice::files& files = files_of_notice()) {
        json::object notice;
        for (const auto& [name, bytes] : files) {
            notice[name] = base::to_base64(bytes);
        }
        return {{"name", "Renewed notice"}, {"incident", "autumn-leak"}, {"notice", std::move(notice)}};
    }
    std::string create() {
        const auto made = post("operator", "/v1/campaigns", json::serialize(new_campaign()));
        EXPECT_EQ(made.status, 201U) << made.body;
        return made.text("id");
    }

    // What the other services would tell.
    void tell(const v1::Feedback& f) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            on_feedback(tx, f);
            tx.commit();
        });
    }
    v1::Feedback compiled(const std::string& id) { return compiled(id, files_of_notice()); }
    static v1::Feedback compiled(const std::string& id, const notice::files& files) {
        v1::Feedback f;
        f.set_campaign_id(id);
        auto* out = f.mutable_compiled();
        out->set_notice_digest(std::string{base::as_view(notice::digest_of(files))});
        for (const auto& artifact : notice::compile(notice::parse(files).source, notice::digest_of(files))) {
            *out->add_artifacts() = artifact.ref;
        }
        return f;
    }
    static v1::Feedback imported(const std::string& id, std::uint32_t upload, std::uint64_t rows = 10) {
        v1::Feedback f;
        f.set_campaign_id(id);
        auto* r = f.mutable_imported();
        r->set_upload(upload);
        r->set_rows(rows);
        r->set_rejected(1);
        for (std::uint32_t partition : {0U, 1U}) {
            auto* span = r->add_spans();
            span->set_partition(partition);
            span->set_end_offset(upload);
            span->set_chunks(1);
        }
        return f;
    }
    static v1::Feedback registered(const std::string& id, std::uint32_t wave, std::uint32_t partition,
                                   std::uint64_t unreachable = 0) {
        v1::Feedback f;
        f.set_campaign_id(id);
        auto* r = f.mutable_registered();
        r->set_wave(wave);
        r->set_partition(partition);
        r->set_end_offset(wave);
        r->set_recipients(5);
        r->set_unreachable(unreachable);
        (*r->mutable_addresses())["email"] = 5;
        return f;
    }
    answered upload(const std::string& id, std::string rows) {
        return post("operator", "/v1/campaigns/" + id + "/uploads?format=csv", std::move(rows));
    }
    answered step(const std::string& user, const std::string& id, const std::string& name) {
        return name == "approve" ? approve(user, id) : post(user, "/v1/campaigns/" + id + "/" + name);
    }
    /// Looks at what waits, and approves just that; what waits for nothing is refused all the same.
    answered approve(const std::string& user, const std::string& id, json::object says = {}) {
        says["seen"] = seen(id);
        return post(user, "/v1/campaigns/" + id + "/approve", json::serialize(says));
    }
    json::object seen(const std::string& id) {
        const auto shown = get("auditor", "/v1/campaigns/" + id + "/approval").object();
        const std::string nothing(64, '0');
        return shown.contains("seen") ? shown.at("seen").as_object()
                                      : json::object{{"notice", nothing}, {"audience", nothing}, {"plan", nothing}};
    }
    /// Compiled, with one wave sealed and registered: what an approver waits for.
    std::string create_registered() {
        const auto id = create();
        tell(compiled(id));
        EXPECT_EQ(upload(id, "recipient_id,email\n1,a@example.com\n").status, 202U);
        tell(imported(id, 1));
        EXPECT_EQ(step("operator", id, "seal").status, 200U);
        tell(registered(id, 1, 0));
        tell(registered(id, 1, 1));
        return id;
    }

    v1::Campaign campaign(const std::string& id) {
        return db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            return store::read_campaign(tx, id).value();
        });
    }
    /// By value: a map's order on the wire is not fixed.
    static bool same(const v1::Campaign& a, const std::string& serialized) {
        v1::Campaign b;
        return b.ParseFromString(serialized) && google::protobuf::util::MessageDifferencer::Equals(a, b);
    }
    /// What the outbox holds for a topic, oldest first.
    std::vector<store::outbox_row> outbox_of(std::string_view topic) {
        auto rows = db->run_blocking([](pqxx::connection& c) {
            pqxx::work tx{c};
            return store::read_outbox(tx, 10'000);
        });
        std::erase_if(rows, [&](const auto& row) { return row.topic != topic; });
        return rows;
    }
    std::vector<v1::Event> events() {
        std::vector<v1::Event> all;
        for (const auto& row : outbox_of(wire::events)) {
            v1::EventBatch batch;
            EXPECT_TRUE(batch.ParseFromString(row.value));
            all.insert(all.end(), batch.events().begin(), batch.events().end());
        }
        return all;
    }
    /// What the records of a campaign are read from.
    void make_ledger() { db->run_blocking(ledger::migrate); }
    std::size_t files_below(const fs::path& where) const {
        std::error_code missing;
        std::size_t n = 0;
        for (const auto& entry : fs::recursive_directory_iterator{where, missing}) {
            n += entry.is_regular_file() ? 1 : 0;
        }
        return n;
    }

    asio::io_context io;
    fs::path folder;
    config::settings config;
    crypto::key_ring kek = crypto::key_ring::random();
    bool time_is_certain = true;
    runtime::condition outbox{io.get_executor()};
    asio::thread_pool disk{1};
    std::optional<postgres::pool> db, steps, lists;
    std::optional<redis::client> redis;
    std::optional<services> shared;
    std::optional<http::server> server;

  private:
    std::string database_;
};

} // namespace semel::api::test
