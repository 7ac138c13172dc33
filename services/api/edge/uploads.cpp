// Audience files: streamed in, sealed on the way to the disk, ordered for import.

#include "api.hpp"

#include <audience/sealed_file.hpp>
#include <crypto/keys.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/together.hpp>
#include <telemetry/log.hpp>

#include <api/edge/import_order.hpp>
#include <api/edge/lists.hpp>
#include <api/edge/lookups.hpp>
#include <fmt/format.h>

#include <expected>
#include <fstream>
#include <memory>
#include <vector>

namespace semel::api {

namespace asio = boost::asio;

namespace {

json::object describe(const upload& u) {
    json::object o{{"upload", u.number},
                   {"state", u.state},
                   {"rows", u.rows},
                   {"rejected", u.rejected},
                   {"has_rejects", u.state == "imported"}};
    if (u.wave != 0) {
        o["wave"] = u.wave;
    }
    json::array warnings, columns;
    for (const auto& warning : u.findings.warnings()) {
        warnings.emplace_back(warning);
    }
    for (const auto& column : u.findings.columns()) {
        columns.push_back(json::object{{"name", column.name()}, {"use", column.use()}});
    }
    o["unreachable"] = u.findings.unreachable();
    o["warnings"] = std::move(warnings);
    o["columns"] = std::move(columns);
    if (!u.reason.empty()) {
        o["reason"] = u.reason;
    }
    if (const auto frozen = json::read(u.frozen); frozen && frozen->is_object()) {
        o["frozen"] = *frozen;
    }
    return o;
}

struct begun {
    v1::Campaign campaign;
    std::uint32_t number = 0;
};

asio::awaitable<void> drop(services& s, std::string id, std::uint32_t number) {
    co_await s.db.run([id, number](pqxx::connection& c) {
        pqxx::work tx{c};
        store::delete_upload(tx, id, number);
        tx.commit();
    });
}

/// Says now and then that this process still receives the upload, so that no other takes it for broken off.
class heartbeat {
  public:
    heartbeat(services& s, std::string campaign, std::uint32_t number)
        : services_(s)
        , campaign_(std::move(campaign))
        , number_(number) {}

    asio::awaitable<base::result<void>> beat() {
        if (std::chrono::steady_clock::now() < next_) {
            co_return base::result<void>{};
        }
        next_ = std::chrono::steady_clock::now() + upload_patience / 12;
        const bool ours = co_await services_.db.run([id = campaign_, number = number_](pqxx::connection& c) {
            pqxx::work tx{c};
            const bool kept = store::keep_upload(tx, id, number);
            tx.commit();
            return kept;
        });
        if (!ours) {
            co_return base::failed(taken_for_broken_off());
        }
        co_return base::result<void>{};
    }
    static base::fault taken_for_broken_off() {
        return {base::fault::kind::unreachable,
                "the api stood still for so long that this upload was taken for broken off; nothing was added, send "
                "the file again"};
    }

  private:
    services& services_;
    std::string campaign_;
    std::uint32_t number_;
    std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + upload_patience / 12;
};

http::response too_large(std::uint64_t most) {
    return http::problem(413, fmt::format("the file is larger than {} bytes", most),
                         "compress it, split it into several waves, or raise limits.upload in semel.yaml");
}

/// Copies the body into the sealed file; the digest of the plain bytes. Leaves no file behind when it fails.
asio::awaitable<std::expected<std::string, http::response>> receive(services& s, http::request& r,
                                                                    std::filesystem::path path,
                                                                    crypto::campaign_key key,
                                                                    audience::upload_place place) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    heartbeat alive{s, place.campaign.value(), place.number};
    auto file = audience::sealed_writer::create(path, key, std::move(place));
    if (!file) {
        co_return std::unexpected{http::problem(file.error())};
    }
    std::vector<char> buffer(std::size_t{256} * 1024);
    std::uint64_t size = 0;
    for (;;) {
        const auto n = co_await r.read_some(buffer);
        if (!n) {
            co_return std::unexpected{http::problem(n.error())};
        }
        if (*n == 0) {
            break;
        }
        size += *n;
        if (size > s.config.limits.bytes) {
            co_return std::unexpected{too_large(s.config.limits.bytes)};
        }
        auto write = [&file, piece = std::string_view{buffer.data(), *n}] { return file->write(piece); };
        const auto written = co_await runtime::on_thread(s.disk, std::move(write));
        if (!written) {
            co_return std::unexpected{http::problem(written.error())};
        }
        if (const auto ours = co_await alive.beat(); !ours) {
            co_return std::unexpected{http::problem(ours.error())};
        }
    }
    if (size == 0) {
        co_return std::unexpected{http::problem(400, "the file is empty", "a CSV begins with its header line")};
    }
    auto finish = [&file] { return file->finish(); };
    const auto digest = co_await runtime::on_thread(s.disk, std::move(finish));
    if (!digest) {
        co_return std::unexpected{http::problem(digest.error())};
    }
    co_return std::string{base::as_view(*digest)};
}

/// What the last transaction of an upload needs to know.
struct received {
    v1::Campaign campaign;
    user who;
    std::uint32_t number = 0;
    std::filesystem::path path;
    std::string format;
    std::string digest;
    bool accept_unreachable = false;
};

/// The import is ordered, unless the campaign has this file already, which is then the answer. Nothing: the upload was
/// taken for broken off meanwhile.
std::optional<upload> order_import(pqxx::work& tx, const received& r, std::int32_t order_partitions,
                                   std::int32_t event_partitions) {
    const auto& id = r.campaign.id();
    store::lock_campaign(tx, id);
    if (!store::keep_upload(tx, id, r.number)) {
        return std::nullopt;
    }
    if (auto before = store::find_upload(tx, id, r.digest)) {
        std::error_code ignored;
        std::filesystem::remove(r.path, ignored);
        store::delete_upload(tx, id, r.number);
        return before;
    }
    upload u{.number = r.number,
             .wave = 0,
             .state = "importing",
             .reason = {},
             .file_digest = r.digest,
             .rows = 0,
             .rejected = 0,
             .findings = {},
             .frozen = {}};
    store::update_upload(tx, id, u);
    auto order = import_order(r.campaign, store::notice_of(tx, id), r.number, r.format, r.digest);
    order.set_accept_unreachable(r.accept_unreachable);
    enqueue_import(tx, order, order_partitions);
    store::enqueue_event(
        tx,
        operator_event(r.campaign, r.who,
                       fmt::format("added upload {}{}", r.number,
                                   r.accept_unreachable ? ", however many have no usable address" : "")),
        event_partitions);
    return u;
}

/// What the request says of the file.
struct upload_terms {
    std::string format;
    bool accept_unreachable = false;
};
std::expected<upload_terms, http::response> terms_of(const http::request& r, std::uint64_t most) {
    const std::string format{r.query_value("format", "csv")};
    if (format != "csv" && format != "ndjson") {
        return std::unexpected{http::problem(400, "format must be csv or ndjson")};
    }
    const std::string accept_unreachable{r.query_value("accept_unreachable", "false")};
    if (accept_unreachable != "true" && accept_unreachable != "false") {
        return std::unexpected{http::problem(400, "accept_unreachable must be true or false")};
    }
    if (r.content_length.value_or(0) > most) {
        return std::unexpected{too_large(most)};
    }
    return upload_terms{.format = format, .accept_unreachable = accept_unreachable == "true"};
}

/// Nothing: there is no such campaign.
std::optional<begun> begin(pqxx::connection& c, const std::string& id, const std::string& receiver) {
    pqxx::work tx{c};
    auto campaign = store::lock_campaign(tx, id);
    if (!campaign) {
        return std::nullopt;
    }
    begun b{.campaign = std::move(*campaign), .number = store::begin_upload(tx, id, receiver)};
    tx.commit();
    return b;
}

/// The bytes of an upload that has begun, sealed on the disk; their digest. Leaves nothing behind when it fails.
asio::awaitable<std::expected<std::string, http::response>> take_in(services& s, http::request& r, const begun& start,
                                                                    std::filesystem::path path) {
    const base::campaign_id id{start.campaign.id()};
    if (start.campaign.phase() == v1::CAMPAIGN_CANCELLED) {
        co_return std::unexpected{
            http::problem(409, "campaign " + id.value() + " is cancelled", "create a new campaign for new people")};
    }
    const auto key = s.keys.unwrap(start.campaign.wrapped_key(), id);
    if (!key) {
        co_return std::unexpected{http::problem(key.error())};
    }
    co_return co_await receive(s, r, std::move(path), *key, {.campaign = id, .number = start.number});
}

asio::awaitable<http::response> add(services& s, http::request& r, user who) {
    const auto id = r.parameter("id");
    const auto terms = terms_of(r, s.config.limits.bytes);
    if (!terms) {
        co_return terms.error();
    }
    const auto start =
        co_await s.db.run([id, receiver = s.instance](pqxx::connection& c) { return begin(c, id, receiver); });
    if (!start) {
        co_return not_found(id);
    }
    const auto path = upload_path(s.config.data_dir, id, start->number);
    auto digest = co_await take_in(s, r, *start, path);
    if (!digest) {
        co_await drop(s, id, start->number);
        co_return std::move(digest.error());
    }

    SEMEL_FAILPOINT("api.upload.received");
    received all{.campaign = start->campaign,
                 .who = std::move(who),
                 .number = start->number,
                 .path = path,
                 .format = terms->format,
                 .digest = *digest,
                 .accept_unreachable = terms->accept_unreachable};
    const auto result = co_await s.db.run(
        [all = std::move(all), orders = s.topics.orders, events = s.topics.events](pqxx::connection& c) {
            pqxx::work tx{c};
            const auto u = order_import(tx, all, orders, events);
            tx.commit();
            return u;
        });
    SEMEL_FAILPOINT("api.upload.ordered");
    if (!result) {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        co_return http::problem(heartbeat::taken_for_broken_off());
    }
    s.outbox.notify();
    auto out = describe(*result);
    out["known"] = result->number != start->number; // the campaign has this file already
    co_return answer(out, 202);
}

asio::awaitable<std::optional<upload>> find(services& s, http::request& r) {
    const auto number = number_in(r, "upload");
    if (!number) {
        co_return std::nullopt;
    }
    co_return co_await s.db.run([id = r.parameter("id"), number = *number](pqxx::connection& c) {
        pqxx::work tx{c};
        return store::read_upload(tx, id, number);
    });
}

asio::awaitable<http::response> show(services& s, http::request& r, user) {
    const auto u = co_await find(s, r);
    co_return u ? answer(describe(*u)) : http::problem(404, "there is no such upload");
}

asio::awaitable<base::result<void>> copy(services& s, std::shared_ptr<std::ifstream> in, http::body_writer& to) {
    std::vector<char> piece(std::size_t{64} * 1024);
    for (;;) {
        const auto n = co_await runtime::on_thread(s.disk, [in, &piece] {
            in->read(piece.data(), static_cast<std::streamsize>(piece.size()));
            return static_cast<std::size_t>(in->gcount());
        });
        if (n == 0) {
            break;
        }
        if (const auto written = co_await to.write({piece.data(), n}); !written) {
            co_return base::failed(written.error());
        }
    }
    if (in->bad()) {
        co_return base::failed(base::fault::kind::broken, "the list of rejects cannot be read to its end");
    }
    co_return base::result<void>{};
}

asio::awaitable<http::response> show_rejects(services& s, http::request& r, user who) {
    auto why = purpose_in(r);
    if (!why) {
        co_return http::problem(why.error());
    }
    auto admitted = admit(s, who);
    if (!admitted.place) {
        co_return std::move(admitted.refusal);
    }
    const auto u = co_await find(s, r);
    if (!u || u->state != "imported") {
        co_return http::problem(404, "there is no list of rejects for this upload",
                                "it exists once the upload is imported");
    }
    auto in = std::make_shared<std::ifstream>(
        s.config.data_dir / "rejects" /
            audience::rejects_file({.campaign = base::campaign_id{r.parameter("id")}, .number = u->number}),
        std::ios::binary);
    if (!*in) {
        co_return http::problem(500, "the list of rejects cannot be read", "look for it below data/rejects");
    }
    auto look = look_of(r, who, looked_at::rejects, std::move(*why));
    look.people = static_cast<std::int64_t>(u->rejected);
    co_await s.db.run([look = std::move(look)](pqxx::connection& connection) {
        pqxx::work tx{connection};
        note(tx, look);
        tx.commit();
    });
    http::response out;
    out.content_type = "text/csv; charset=utf-8";
    out.stream = [&s, in, place = admitted.place](http::body_writer& to) { return copy(s, in, to); };
    co_return out;
}

} // namespace

void drop_broken_off_uploads(pqxx::connection& db, const std::filesystem::path& data_dir, const std::string& receiver) {
    pqxx::work tx{db};
    for (const auto& [campaign, number] : store::delete_broken_off_uploads(tx, receiver, upload_patience)) {
        // Files first: after the commit nobody would know of them.
        const auto path = upload_path(data_dir, campaign, number);
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        std::filesystem::remove(path.string() + ".part", ignored);
        telemetry::log().warn(
            "upload.dropped",
            {{"campaign", campaign}, {"upload", number}, {"why", "it broke off: it has to be sent again"}});
    }
    tx.commit();
}

void add_upload_routes(guarded_routes& all, services& s) {
    all.add("POST", "/v1/campaigns/{id}/uploads", access::step::add_upload,
            [&s](http::request& r, user who) { return add(s, r, std::move(who)); });
    all.add("GET", "/v1/campaigns/{id}/uploads/{upload}", access::step::read_campaigns,
            [&s](http::request& r, user who) { return show(s, r, std::move(who)); });
    all.add("GET", "/v1/campaigns/{id}/uploads/{upload}/rejects", access::step::read_people,
            [&s](http::request& r, user who) { return show_rejects(s, r, std::move(who)); });
}

} // namespace semel::api
