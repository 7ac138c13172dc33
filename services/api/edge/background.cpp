#include "background.hpp"

#include <api/edge/store.hpp>
#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <base/time.hpp>

#include <chrono>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// One campaign's step, if the core allows it. A refusal here is a repetition (feedback comes at least once).
template <class Step>
void apply(pqxx::work& tx, runtime::context& ctx, const std::string& id, Step step) {
    const auto campaign = store::lock_campaign(tx, id);
    if (!campaign) {
        ctx.log().warn("feedback about an unknown campaign", {{"campaign", id}});
        return;
    }
    const auto next = step(*campaign);
    if (next) {
        store::update_campaign(tx, *next);
    }
}

void on_imported(pqxx::work& tx, runtime::context& ctx, const std::string& id, const v1::ImportResult& r) {
    auto upload = store::read_upload(tx, id, r.wave());
    if (!upload || upload->state == "imported" || upload->state == "refused") {
        return;
    }
    upload->state = r.refused() ? "refused" : "imported";
    upload->reason = r.reason();
    upload->rows = r.rows();
    upload->rejected = r.rejected();
    upload->rejects_path = r.rejects_path();
    store::update_upload(tx, id, *upload);
    if (!r.refused()) {
        apply(tx, ctx, id, [&](const v1::Campaign& c) { return wave_imported(c, r, upload->file_digest); });
    }
}

void on_registered(pqxx::work& tx, runtime::context& ctx, const std::string& id, const v1::Registered& r) {
    store::add_registered(tx, id, r);
    const auto plans = store::read_plans(tx, id);
    apply(tx, ctx, id, [&](const v1::Campaign& c) -> step {
        for (const auto& wave : c.waves()) {
            if (wave.number() == r.wave() && wave.phase() == v1::WAVE_SEALED && fully_registered(wave, plans.at(r.wave()))) {
                return wave_registered(c, r.wave());
            }
        }
        return base::failed(base::fault::kind::permanent, "nothing changes");
    });
}

void on_feedback(pqxx::work& tx, runtime::context& ctx, const v1::Feedback& f) {
    switch (f.what_case()) {
    case v1::Feedback::kImported: on_imported(tx, ctx, f.campaign_id(), f.imported()); break;
    case v1::Feedback::kRegistered: on_registered(tx, ctx, f.campaign_id(), f.registered()); break;
    case v1::Feedback::kCompiled:
        apply(tx, ctx, f.campaign_id(), [&](const v1::Campaign& c) -> step {
            if (!c.artifacts().empty()) {
                return base::failed(base::fault::kind::permanent, "compiled before");
            }
            return notice_compiled(c, f.compiled());
        });
        break;
    case v1::Feedback::WHAT_NOT_SET: break;
    }
}

/// Wave numbers whose every row is launched: only a wholly launched campaign can be finished.
bool wholly_launched(const v1::Campaign& c) {
    return std::ranges::all_of(c.waves(), [](const v1::Wave& w) { return w.phase() == v1::WAVE_LAUNCHED; });
}

} // namespace

asio::awaitable<void> publish_outbox(runtime::context& ctx, postgres::pool& db, runtime::signal& poke) {
    kafka::producer producer{ctx.executor(), {.bootstrap = ctx.config().kafka_bootstrap, .transactional_id = {}}};
    for (;;) {
        // Published first, deleted then: a publisher that dies in between, or a second one, repeats and never skips.
        // Readers recognise repetitions: by version (control), by digest, by event id, by finished progress.
        auto rows = co_await db.run([](pqxx::connection& c) {
            pqxx::work tx{c};
            return store::read_outbox(tx, 200);
        });
        bool sent = !rows.empty();
        for (const auto& row : rows) {
            kafka::topic_partition to{.topic = row.topic, .partition = row.partition};
            auto result = co_await producer.send(std::move(to), row.key, row.value);
            if (!result) {
                ctx.log().warn("the outbox waits for Kafka", {{"why", result.error().why()}});
                sent = false;
                break;
            }
        }
        if (sent) {
            co_await db.run([done = std::move(rows)](pqxx::connection& c) {
                pqxx::work tx{c};
                store::delete_outbox(tx, done);
                tx.commit();
            });
        } else {
            co_await poke.wait_for(200ms);
        }
    }
}

asio::awaitable<void> take_feedback(runtime::context& ctx, postgres::pool& db, runtime::signal& poke) {
    kafka::consumer_options options;
    options.bootstrap = ctx.config().kafka_bootstrap;
    options.group = "api";
    options.instance = ctx.instance_name();
    options.topics = {std::string{wire::feedback}};
    kafka::consumer consumer{ctx.executor(), std::move(options)};
    kafka::transactional_producer offsets{ctx.executor(),
                                          {.bootstrap = ctx.config().kafka_bootstrap, .transactional_id = ctx.instance_name()}};
    co_await offsets.init();
    std::shared_ptr<const kafka::membership> membership;
    for (;;) {
        auto event = co_await consumer.next();
        if (auto* gained = std::get_if<kafka::assigned>(&event)) {
            membership = consumer.current_membership();
            auto which = gained->partitions;
            const auto committed = co_await consumer.committed(std::move(which));
            if (!committed) {
                throw std::runtime_error{"cannot read the offsets of feedback: " + committed.error().why()};
            }
            std::vector<kafka::start> starts;
            for (const auto& c : *committed) {
                starts.push_back({.at = c.at, .next = c.next});
            }
            consumer.begin(starts);
        } else if (auto* gone = std::get_if<kafka::revoked>(&event)) {
            consumer.release(*gone);
        } else if (auto* fetched = std::get_if<kafka::records>(&event)) {
            std::vector<v1::Feedback> batch;
            std::map<kafka::topic_partition, kafka::offset> next;
            for (const auto& record : fetched->batch) {
                next[record.at()] = record.offset() + 1;
                v1::Feedback f;
                if (f.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
                    batch.push_back(std::move(f));
                } else {
                    ctx.log().error("a feedback record does not parse; skipped", {{"offset", record.offset()}});
                }
            }
            co_await db.run([&ctx, b = std::move(batch)](pqxx::connection& c) {
                pqxx::work tx{c};
                for (const auto& f : b) {
                    on_feedback(tx, ctx, f);
                }
                tx.commit();
            });
            poke.notify();
            // After PostgreSQL has it: a repetition changes nothing, a loss would stop a campaign.
            std::vector<kafka::commit> commits;
            for (const auto& [at, offset] : next) {
                commits.push_back({.at = at, .next = offset, .metadata = {}});
            }
            offsets.begin();
            const auto result = co_await offsets.commit(std::move(commits), membership);
            if (result.outcome == kafka::outcome::unknown) {
                co_await offsets.rebuild();
            }
        } else {
            co_return;
        }
    }
}

asio::awaitable<void> finish_campaigns(runtime::context& ctx, postgres::pool& db, runtime::signal& poke) {
    const auto partitions = ctx.config().partitions;
    while (co_await runtime::sleep(1s)) {
        const auto finished = co_await db.run([partitions](pqxx::connection& c) {
            pqxx::work tx{c};
            std::vector<std::string> ids;
            for (const auto& campaign : store::all_campaigns(tx)) {
                if (campaign.phase() != v1::CAMPAIGN_RUNNING || !wholly_launched(campaign)) {
                    continue;
                }
                const auto outstanding =
                    tx.exec_params1("SELECT outstanding FROM ledger.coverage($1)", campaign.id())[0].as<std::int64_t>();
                if (outstanding != 0) {
                    continue;
                }
                const auto locked = store::lock_campaign(tx, campaign.id());
                if (const auto next = finish(*locked); next && wholly_launched(*locked)) {
                    store::update_campaign(tx, *next);
                    v1::Event event;
                    event.set_id(wire::event_id(v1::EVENT_OPERATOR, campaign.id(), 0, "finished" + std::to_string(next->version())));
                    event.set_kind(v1::EVENT_OPERATOR);
                    event.set_campaign_id(campaign.id());
                    event.set_time_us(base::to_us(base::now()));
                    event.set_text("finished");
                    event.set_actor("semel");
                    store::enqueue_event(tx, std::move(event), partitions);
                    ids.push_back(campaign.id());
                }
            }
            tx.commit();
            return ids;
        });
        for (const auto& id : finished) {
            ctx.log().info("campaign finished", {{"campaign", id}});
            poke.notify();
        }
    }
}

} // namespace semel::api
