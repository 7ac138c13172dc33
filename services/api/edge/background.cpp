#include "background.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <kafka/transactor.hpp>
#include <kafka/trust.hpp>
#include <postgres/patiently.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <api/edge/api.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/store.hpp>

#include <algorithm>
#include <chrono>
#include <map>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// One campaign's step, if the core allows it. A refusal here is a repetition (feedback comes at least once).
template <class Step>
void apply(pqxx::work& tx, const std::string& id, Step step) {
    const auto campaign = store::lock_campaign(tx, id);
    if (!campaign) {
        telemetry::log().warn("feedback.unmatched", {{"campaign", id}});
        return;
    }
    const auto next = step(*campaign);
    if (next) {
        store::update_campaign(tx, *next);
    }
}

void on_imported(pqxx::work& tx, const std::string& id, const v1::ImportResult& r) {
    auto upload = store::read_upload(tx, id, r.upload());
    if (!upload || upload->state == "imported" || upload->state == "refused") {
        return;
    }
    upload->state = r.refused() ? "refused" : "imported";
    upload->reason = r.reason();
    upload->rows = r.rows();
    upload->rejected = r.rejected();
    upload->findings = r.findings();
    if (!r.refused()) {
        apply(tx, id, [&](const v1::Campaign& c) {
            auto next = wave_imported(c, r, upload->file_digest);
            upload->wave = next ? next->waves().rbegin()->number() : 0;
            return next;
        });
    }
    store::update_upload(tx, id, *upload);
}

void on_registered(pqxx::work& tx, const std::string& id, const v1::Registered& r) {
    store::add_registered(tx, id, r);
    const auto plans = store::read_plans(tx, id);
    apply(tx, id, [&](const v1::Campaign& c) -> step {
        for (const auto& wave : c.waves()) {
            if (wave.number() == r.wave() && wave.phase() == v1::WAVE_SEALED &&
                fully_registered(wave, plans.at(r.wave()))) {
                return wave_registered(c, r.wave());
            }
        }
        return base::failed(base::fault::kind::permanent, "nothing changes");
    });
}

} // namespace

void on_feedback(pqxx::work& tx, const v1::Feedback& f) {
    switch (f.what_case()) {
    case v1::Feedback::kImported:
        on_imported(tx, f.campaign_id(), f.imported());
        break;
    case v1::Feedback::kRegistered:
        on_registered(tx, f.campaign_id(), f.registered());
        break;
    case v1::Feedback::kCompiled:
        apply(tx, f.campaign_id(), [&](const v1::Campaign& c) -> step {
            if (!c.artifacts().empty()) {
                return base::failed(base::fault::kind::permanent, "compiled before");
            }
            if (f.compiled().artifacts().empty()) {
                // The api checked the same folder: only a render of another version can say so.
                telemetry::log().error("notice.not_compiled",
                                       {{"campaign", c.id()},
                                        {"problems", f.compiled().problems_size()},
                                        {"then", "run api and render in one version, and create the campaign anew"}});
                return base::failed(base::fault::kind::permanent, "not compiled");
            }
            return notice_compiled(c, f.compiled());
        });
        break;
    case v1::Feedback::WHAT_NOT_SET:
        break;
    }
}

namespace {

class feedback_reader final : kafka::tenant {
  public:
    feedback_reader(services& s, const feedback_source& from)
        : services_(s)
        , transactor_(s.executor, {.bootstrap = kafka::configured(s.config),
                                   .group = from.group,
                                   .instance = s.instance,
                                   .transactional_id = s.instance,
                                   .topics = {from.topic}}) {}

    asio::awaitable<void> run() {
        runtime::condition never{services_.executor};
        co_await transactor_.run(*this, never.wait());
    }

  private:
    asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr of) override { co_return of->starts(); }
    asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    asio::awaitable<void> leave(kafka::tenure_ptr) override { co_return; }
    asio::awaitable<void> pass(kafka::tenure_ptr, std::map<kafka::topic_partition, kafka::offset> next);

    services& services_;
    kafka::transactor transactor_;
};

asio::awaitable<void> feedback_reader::read(kafka::tenure_ptr of, kafka::records fetched) {
    std::vector<v1::Feedback> batch;
    std::map<kafka::topic_partition, kafka::offset> next;
    for (const auto& [at, offset] : fetched.passed) {
        next[at] = offset;
    }
    for (const auto& record : fetched.batch) {
        next[record.at()] = std::max(next[record.at()], record.offset() + 1);
        v1::Feedback f;
        if (f.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
            batch.push_back(std::move(f));
        } else {
            kafka::refuse(record, "it is not a Feedback");
        }
    }
    const auto apply = [b = std::move(batch)](pqxx::connection& c) {
        pqxx::work tx{c};
        for (const auto& f : b) {
            on_feedback(tx, f);
        }
        tx.commit();
    };
    try {
        co_await postgres::patiently(services_.db, apply, {.enough = [of] { return of->ending(); }});
    } catch (const postgres::given_up&) {
        co_return; // the next owner reads it
    }
    SEMEL_FAILPOINT("api.feedback.applied");
    services_.outbox.notify();
    co_await pass(std::move(of), std::move(next));
}

/// After PostgreSQL has it: a repetition changes nothing, a loss would stop a campaign.
asio::awaitable<void> feedback_reader::pass(kafka::tenure_ptr of,
                                            std::map<kafka::topic_partition, kafka::offset> next) {
    std::vector<kafka::commit> commits;
    for (const auto& [at, offset] : next) {
        commits.push_back({.at = at, .next = offset, .metadata = {}});
    }
    for (;;) {
        auto transaction = co_await transactor_.begin(of);
        if (!transaction) {
            co_return;
        }
        const auto became = co_await transaction->commit(commits);
        SEMEL_FAILPOINT("api.feedback.committed");
        if (became != kafka::settled::undone) {
            co_return;
        }
    }
}

} // namespace

asio::awaitable<void> take_feedback(services& s, feedback_source from) {
    feedback_reader reader{s, from};
    co_await reader.run();
}

asio::awaitable<void> finish_campaigns(services& s) {
    const auto partitions = s.topics.events;
    while (co_await runtime::sleep(1s)) {
        const auto finished = co_await postgres::patiently(s.db, [partitions](pqxx::connection& c) {
            pqxx::work tx{c};
            std::vector<std::string> ids;
            for (const auto& campaign : store::all_campaigns(tx)) {
                if (campaign.phase() != v1::CAMPAIGN_RUNNING || !wholly_launched(campaign)) {
                    continue;
                }
                if (!is_settled(tx, campaign)) {
                    continue;
                }
                const auto locked = store::lock_campaign(tx, campaign.id());
                if (const auto next = finish(*locked); next && is_settled(tx, *locked)) {
                    store::update_campaign(tx, *next);
                    v1::Event event;
                    event.set_id(wire::event_id(v1::EVENT_OPERATOR, campaign.id(), 0,
                                                "finished" + std::to_string(next->version())));
                    event.set_kind(v1::EVENT_OPERATOR);
                    event.set_campaign_id(campaign.id());
                    event.set_time_us(base::to_us(base::now()));
                    event.set_text("finished");
                    event.set_actor("semel");
                    store::enqueue_event(tx, event, partitions);
                    ids.push_back(campaign.id());
                    SEMEL_FAILPOINT("api.finish.decided");
                }
            }
            tx.commit();
            return ids;
        });
        for (const auto& id : finished) {
            SEMEL_FAILPOINT("api.finish.committed");
            telemetry::log().info("campaign.finished", {{"campaign", id}});
            s.outbox.notify();
        }
    }
}

asio::awaitable<void> sweep_uploads(services& s) {
    while (co_await runtime::sleep(upload_patience / 2)) {
        co_await postgres::patiently(s.db, [dir = s.config.data_dir](pqxx::connection& c) {
            drop_broken_off_uploads(c, dir, {}); // nobody's own: only those whose receiver is silent
        });
    }
}

} // namespace semel::api
