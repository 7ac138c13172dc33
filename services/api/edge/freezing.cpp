#include "freezing.hpp"

#include <audience/sealed_file.hpp>
#include <base/bytes.hpp>
#include <crypto/keys.hpp>
#include <failpoint/failpoint.hpp>
#include <http/json.hpp>
#include <notice/source.hpp>
#include <postgres/patiently.hpp>
#include <postgres/snapshot.hpp>
#include <runtime/race.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>

#include <api/core/follow_up.hpp>
#include <api/edge/api.hpp>
#include <api/edge/import_order.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/reading.hpp>
#include <api/edge/store.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr int page_rows = 1'000;

/// This process was silent for so long that it was taken for dead.
fault taken_over() {
    return {fault::kind::stopping, "another process of the api has begun it anew"};
}

/// Removes what attempts have left, whoever's they were.
void clear_attempts(const std::filesystem::path& file) {
    std::error_code error;
    const auto begins = file.filename().string() + ".";
    std::vector<std::filesystem::path> left;
    for (const auto& one : std::filesystem::directory_iterator{file.parent_path(), error}) {
        if (one.path().filename().string().starts_with(begins)) {
            left.push_back(one.path());
        }
    }
    for (const auto& one : left) {
        std::filesystem::remove(one, error);
    }
}

/// What a freeze needs to know before it looks at the ledger.
struct freeze_order {
    v1::Campaign child;
    v1::Campaign parent;
    crypto::campaign_key child_key, parent_key;
    std::string sender; // of the parent's mails
    std::vector<std::string> slots;
    follow_up_terms terms;
    json::object asked; // what api.uploads.frozen says so far
};

notice::notice_source source_of(pqxx::work& tx, const std::string& campaign) {
    const auto stored = store::notice_of(tx, campaign);
    return notice::parse({stored.files().begin(), stored.files().end()}).source;
}

/// `permanent`: nothing can come of it.
result<freeze_order> read_order(pqxx::work& tx, const store::freeze_job& job, const crypto::key_ring& keys) {
    const auto upload = store::read_upload(tx, job.campaign, job.upload);
    const auto child = store::read_campaign(tx, job.campaign);
    if (!upload || !child || !child->has_follow_up()) {
        return failed(fault::kind::permanent, "it is not of a follow-up");
    }
    if (child->phase() == v1::CAMPAIGN_CANCELLED) {
        return failed(fault::kind::permanent, fmt::format("campaign {} is cancelled", child->id()));
    }
    const auto parent = store::read_campaign(tx, child->follow_up().of());
    if (!parent) {
        return failed(fault::kind::permanent, fmt::format("there is no campaign {}", child->follow_up().of()));
    }
    const auto child_key = keys.unwrap(child->wrapped_key(), base::campaign_id{child->id()});
    const auto parent_key = keys.unwrap(parent->wrapped_key(), base::campaign_id{parent->id()});
    if (!child_key || !parent_key) {
        return failed(fault::kind::permanent, !parent_key ? parent_key.error().why() : child_key.error().why());
    }
    const auto asked = json::read(upload->frozen);
    freeze_order out{.child = *child,
                     .parent = *parent,
                     .child_key = *child_key,
                     .parent_key = *parent_key,
                     .sender = source_of(tx, parent->id()).sender.email,
                     .slots = {},
                     .terms = terms_of(child->follow_up()),
                     .asked = asked && asked->is_object() ? asked->get_object() : json::object{}};
    for (const auto& [slot, definition] : source_of(tx, child->id()).slots) {
        out.slots.push_back(slot);
    }
    return out;
}

/// One freeze, by one process.
class freeze {
  public:
    freeze(services& s, store::freeze_job job)
        : services_(s)
        , job_(std::move(job)) {}

    asio::awaitable<void> run();

  private:
    /// What the pieces of the reading share; on the snapshot's thread while one runs.
    struct reading {
        reading(postgres::pool& db, freeze_order o)
            : view(db)
            , order(std::move(o))
            , rows({.parent = order.parent,
                    .sender = order.sender,
                    .segments = {order.child.segment_names().begin(), order.child.segment_names().end()},
                    .slots = order.slots,
                    .terms = order.terms}) {}
        postgres::snapshot view;
        freeze_order order;
        follow_up_rows rows;
        json::object position; // in `events`, by partition
    };
    struct page {
        std::string lines;
        bool last = false;
    };

    static result<void> open(reading&, pqxx::work&);
    static result<page> next(reading&, pqxx::work&);
    asio::awaitable<result<crypto::digest>> write(std::shared_ptr<reading>);
    asio::awaitable<result<void>> order_import(std::shared_ptr<reading>, const crypto::digest&);
    /// Nobody is told by this follow-up, unless another process is at it.
    asio::awaitable<void> give_up(fault why);
    /// False: another process has begun anew.
    asio::awaitable<bool> beat();
    std::filesystem::path path() const { return upload_path(services_.config.data_dir, job_.campaign, job_.upload); }
    /// Of this process alone: one that was taken for dead and wakes up again spoils nothing of who follows it.
    std::filesystem::path own_file() const { return path().string() + "." + services_.instance; }

    services& services_;
    store::freeze_job job_;
    std::chrono::steady_clock::time_point next_beat_ = std::chrono::steady_clock::now() + upload_patience / 12;
};

asio::awaitable<void> freeze::run() {
    auto order = co_await services_.db.run([job = job_, keys = services_.keys](pqxx::connection& c) {
        pqxx::work tx{c};
        return read_order(tx, job, keys);
    });
    if (!order) {
        co_return co_await give_up(order.error());
    }
    const auto all = std::make_shared<reading>(services_.lists, std::move(*order));
    const auto opened = co_await all->view.run([r = all.get()](pqxx::work& tx) { return open(*r, tx); });
    if (!opened) {
        co_return co_await give_up(opened.error());
    }
    const auto digest = co_await write(all);
    if (!digest) {
        co_return co_await give_up(digest.error());
    }
    SEMEL_FAILPOINT("api.freeze.written");
    if (const auto ordered = co_await order_import(all, *digest); !ordered) {
        co_return co_await give_up(ordered.error());
    }
    services_.outbox.notify();
    telemetry::log().info("audience.frozen", {{"campaign", job_.campaign},
                                              {"upload", job_.upload},
                                              {"from", all->order.parent.id()},
                                              {"people", all->rows.people()},
                                              {"rows", all->rows.rows()}});
}

/// Whether it may be done is asked of the same snapshot that is read.
result<void> freeze::open(reading& r, pqxx::work& tx) {
    const auto parent = store::read_campaign(tx, r.order.parent.id()).value();
    if (const auto may = may_follow(parent, read_coverage(tx, parent), r.order.terms); !may) {
        return may;
    }
    const std::string events{wire::events};
    for (const auto& row :
         tx.exec_params("SELECT partition, next FROM ledger.positions WHERE topic = $1 ORDER BY 1", events)) {
        r.position[row[0].as<std::string>()] = row[1].as<std::int64_t>();
    }
    const auto number = tx.exec_params1("SELECT coalesce(ledger.number_of($1), 0)", parent.id())[0].as<int>();
    tx.exec0("SET LOCAL cursor_tuple_fraction = 1"); // all of it is read
    tx.exec_params0("DECLARE people NO SCROLL CURSOR FOR SELECT recipient_ref, wave, line, sealed, links FROM "
                    "ledger.people($1)",
                    number);
    return {};
}

result<freeze::page> freeze::next(reading& r, pqxx::work& tx) {
    const auto rows = tx.exec(fmt::format("FETCH {} FROM people", page_rows));
    for (const auto& row : rows) {
        const auto ref = blob(row[0]);
        auto recipient = wire::open_recipient(r.order.parent_key, ref, blob(row[3]));
        if (!recipient) {
            return failed(fault::kind::broken, fmt::format("a person of {} cannot be read in its ledger: {}",
                                                           r.order.parent.id(), recipient.error().why()));
        }
        const auto taken = r.rows.take({.ref = ref,
                                        .wave = row[1].as<std::uint32_t>(),
                                        .line = text(row[2]),
                                        .recipient = std::move(*recipient),
                                        .links = text(row[4])});
        if (!taken) {
            return failed(taken.error());
        }
    }
    if (rows.empty()) {
        r.rows.finish();
    }
    return page{.lines = r.rows.lines(), .last = rows.empty()};
}

/// `stopping`: another process is at it. Leaves no file behind when it fails.
asio::awaitable<result<crypto::digest>> freeze::write(std::shared_ptr<reading> all) {
    std::error_code error;
    std::filesystem::create_directories(path().parent_path(), error);
    clear_attempts(path());
    auto file = audience::sealed_writer::create(own_file(), all->order.child_key,
                                                {.campaign = base::campaign_id{job_.campaign}, .number = job_.upload});
    if (!file) {
        co_return failed(file.error());
    }
    for (bool last = false; !last;) {
        const auto piece = co_await all->view.run([r = all.get()](pqxx::work& tx) { return next(*r, tx); });
        if (!piece) {
            co_return failed(piece.error());
        }
        last = piece->last;
        auto append = [&file, &lines = piece->lines] { return file->write(lines); };
        const auto written = co_await runtime::on_thread(services_.disk, std::move(append));
        if (!written) {
            co_return failed(written.error());
        }
        if (!co_await beat()) {
            co_return failed(taken_over());
        }
    }
    if (all->rows.rows() == 0) {
        co_return failed(fault::kind::permanent, fmt::format("campaign {} has nobody who is meant ({}): there is "
                                                             "nobody to tell",
                                                             all->order.parent.id(), in_words(all->order.terms)));
    }
    auto finish = [&file] { return file->finish(); };
    co_return co_await runtime::on_thread(services_.disk, std::move(finish));
}

asio::awaitable<result<void>> freeze::order_import(std::shared_ptr<reading> all, const crypto::digest& digest) {
    const std::string sha256{base::as_view(digest)};
    auto frozen = all->order.asked;
    frozen["people"] = all->rows.people();
    frozen["rows"] = all->rows.rows();
    frozen["sha256"] = base::to_hex(sha256);
    frozen["position"] = all->position;
    const auto* accept = frozen.if_contains("accept_unreachable");
    const bool unreachable_too = accept != nullptr && accept->is_bool() && accept->get_bool();
    co_return co_await services_.db.run([job = job_, me = services_.instance, frozen, sha256, unreachable_too,
                                         mine = own_file(), file = path(),
                                         topics = services_.topics](pqxx::connection& c) -> result<void> {
        pqxx::work tx{c};
        const auto child = store::lock_campaign(tx, job.campaign);
        if (!child || !store::keep_freeze(tx, job, me)) {
            return failed(taken_over());
        }
        if (auto there = audience::put_in_place(mine, file); !there) { // nobody else's, while the row is locked
            return there;
        }
        auto upload = store::read_upload(tx, job.campaign, job.upload).value();
        upload.state = "importing";
        upload.file_digest = sha256;
        store::update_upload(tx, job.campaign, upload);
        store::note_frozen(tx, job, json::serialize(frozen));
        auto order = import_order(*child, store::notice_of(tx, job.campaign), job.upload, "ndjson", sha256);
        order.set_accept_unreachable(unreachable_too);
        order.set_follow_up(true);
        enqueue_import(tx, order, topics.orders);
        const user by{.name = store::creator_of(tx, job.campaign), .roles = {}};
        store::enqueue_event(
            tx, operator_event(*child, by, fmt::format("froze upload {}: {}", job.upload, json::serialize(frozen))),
            topics.events);
        tx.commit();
        return {};
    });
}

asio::awaitable<void> freeze::give_up(fault cause) {
    if (cause.what() == fault::kind::stopping) {
        std::error_code error;
        std::filesystem::remove(own_file(), error); // the upload's file is the other's
        co_return;
    }
    const auto why = cause.why();
    telemetry::log().warn("audience.not_frozen", {{"campaign", job_.campaign}, {"upload", job_.upload}, {"why", why}});
    co_await services_.db.run([job = job_, me = services_.instance, file = path(), why](pqxx::connection& c) {
        pqxx::work tx{c};
        if (store::keep_freeze(tx, job, me)) {
            clear_attempts(file);
            auto upload = store::read_upload(tx, job.campaign, job.upload).value();
            upload.state = "refused";
            upload.reason = why;
            store::update_upload(tx, job.campaign, upload);
        }
        tx.commit();
    });
}

asio::awaitable<bool> freeze::beat() {
    if (std::chrono::steady_clock::now() < next_beat_) {
        co_return true;
    }
    next_beat_ = std::chrono::steady_clock::now() + upload_patience / 12;
    co_return co_await services_.db.run([job = job_, me = services_.instance](pqxx::connection& c) {
        pqxx::work tx{c};
        const bool kept = store::keep_freeze(tx, job, me);
        tx.commit();
        return kept;
    });
}

} // namespace

asio::awaitable<bool> freeze_next(services& s) {
    const auto job = co_await postgres::patiently(s.db, [me = s.instance](pqxx::connection& c) {
        pqxx::work tx{c};
        const auto found = store::claim_freeze(tx, me, upload_patience);
        tx.commit();
        return found;
    });
    if (!job) {
        co_return false;
    }
    try {
        freeze one{s, *job};
        co_await one.run();
    } catch (const std::exception& e) {
        const auto outage = postgres::outage_in(e);
        if (!outage) {
            throw;
        }
        telemetry::log().warn("audience.freezes_again",
                              {{"campaign", job->campaign}, {"upload", job->upload}, {"why", outage->words}});
    }
    co_return true;
}

asio::awaitable<void> freeze_audiences(services& s) {
    while (co_await runtime::sleep(500ms)) {
        co_await freeze_next(s);
    }
}

} // namespace semel::api
