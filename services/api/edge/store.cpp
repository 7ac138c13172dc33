#include "store.hpp"

#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <http/json.hpp>
#include <wire/events.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <stdexcept>

namespace semel::api {

namespace store {
namespace {

pqxx::binarystring bytes(std::string_view s) {
    return {s.data(), s.size()};
}

std::string text(const pqxx::field& f) {
    return pqxx::binarystring{f}.str();
}

v1::Campaign campaign_of(const pqxx::row& row) {
    v1::Campaign c;
    if (!c.ParseFromString(text(row[0]))) {
        throw std::runtime_error{"api.campaigns holds a state that does not parse; restore it from a backup"};
    }
    return c;
}

std::optional<v1::Campaign> one_campaign(const pqxx::result& rows) {
    return rows.empty() ? std::nullopt : std::optional{campaign_of(rows[0])};
}

v1::ImportFindings findings_of(const pqxx::row& row) {
    v1::ImportFindings out;
    if (!row["findings"].is_null() && !out.ParseFromString(text(row["findings"]))) {
        throw std::runtime_error{"api.uploads holds findings that do not parse; restore it from a backup"};
    }
    return out;
}

upload upload_of(const pqxx::row& row) {
    return {.number = row["number"].as<std::uint32_t>(),
            .wave = row["wave"].as<std::uint32_t>(0),
            .state = row["state"].as<std::string>(),
            .reason = row["reason"].as<std::string>(),
            .file_digest = row["file_digest"].is_null() ? std::string{} : text(row["file_digest"]),
            .rows = row["rows"].as<std::uint64_t>(),
            .rejected = row["rejected"].as<std::uint64_t>(),
            .findings = findings_of(row),
            .frozen = row["frozen"].is_null() ? std::string{} : row["frozen"].as<std::string>()};
}

std::uint32_t next_upload(pqxx::work& tx, const std::string& campaign) {
    return tx
        .exec_params1("UPDATE api.campaigns SET uploads = uploads + 1 WHERE id = $1 RETURNING uploads", campaign)[0]
        .as<std::uint32_t>();
}

} // namespace

void insert_campaign(pqxx::work& tx, const v1::Campaign& c, const v1::NoticeSource& notice,
                     const std::string& creator) {
    tx.exec_params("INSERT INTO api.campaigns (id, state, notice, creator) VALUES ($1, $2, $3, $4)", c.id(),
                   bytes(c.SerializeAsString()), bytes(notice.SerializeAsString()), creator);
    enqueue(tx, wire::control, 0, c.id(), c.SerializeAsString());
    enqueue(tx, wire::notices, 0, notice.digest(), notice.SerializeAsString());
}

std::optional<v1::Campaign> lock_campaign(pqxx::work& tx, const std::string& id) {
    return one_campaign(tx.exec_params("SELECT state FROM api.campaigns WHERE id = $1 FOR UPDATE", id));
}

std::optional<v1::Campaign> read_campaign(pqxx::work& tx, const std::string& id) {
    return one_campaign(tx.exec_params("SELECT state FROM api.campaigns WHERE id = $1", id));
}

std::vector<v1::Campaign> all_campaigns(pqxx::work& tx) {
    std::vector<v1::Campaign> all;
    for (const auto& row : tx.exec("SELECT state FROM api.campaigns ORDER BY created")) {
        all.push_back(campaign_of(row));
    }
    return all;
}

std::string creator_of(pqxx::work& tx, const std::string& id) {
    return tx.exec_params1("SELECT creator FROM api.campaigns WHERE id = $1", id)[0].as<std::string>();
}

v1::NoticeSource notice_of(pqxx::work& tx, const std::string& id) {
    v1::NoticeSource notice;
    notice.ParseFromString(text(tx.exec_params1("SELECT notice FROM api.campaigns WHERE id = $1", id)[0]));
    return notice;
}

void update_campaign(pqxx::work& tx, const v1::Campaign& c) {
    const auto state = c.SerializeAsString();
    tx.exec_params0("UPDATE api.campaigns SET state = $2 WHERE id = $1", c.id(), bytes(state));
    enqueue(tx, wire::control, 0, c.id(), state);
}

std::optional<upload> find_upload(pqxx::work& tx, const std::string& campaign, const std::string& file_digest) {
    const auto rows =
        tx.exec_params("SELECT * FROM api.uploads WHERE campaign = $1 AND file_digest = $2 AND state <> 'refused'",
                       campaign, bytes(file_digest));
    return rows.empty() ? std::nullopt : std::optional{upload_of(rows[0])};
}

std::optional<upload> read_upload(pqxx::work& tx, const std::string& campaign, std::uint32_t number) {
    const auto rows = tx.exec_params("SELECT * FROM api.uploads WHERE campaign = $1 AND number = $2", campaign, number);
    return rows.empty() ? std::nullopt : std::optional{upload_of(rows[0])};
}

std::uint32_t begin_upload(pqxx::work& tx, const std::string& campaign, const std::string& receiver) {
    const auto number = next_upload(tx, campaign);
    tx.exec_params0("INSERT INTO api.uploads (campaign, number, state, receiver) VALUES ($1, $2, 'receiving', $3)",
                    campaign, number, receiver);
    return number;
}

bool keep_upload(pqxx::work& tx, const std::string& campaign, std::uint32_t number) {
    return tx.exec_params("UPDATE api.uploads SET heard = now() WHERE campaign = $1 AND number = $2 AND state = "
                          "'receiving'",
                          campaign, number)
               .affected_rows() == 1;
}

void update_upload(pqxx::work& tx, const std::string& campaign, const upload& u) {
    // A refused file may be mended and sent again under a digest of its own; the same bytes are tried anew.
    const bool keep_digest = u.state != "refused" && !u.file_digest.empty();
    tx.exec_params0("UPDATE api.uploads SET state = $3, reason = $4, file_digest = nullif($5, ''::bytea), rows = $6, "
                    "rejected = $7, wave = nullif($8, 0), findings = $9 "
                    "WHERE campaign = $1 AND number = $2",
                    campaign, u.number, u.state, u.reason, bytes(keep_digest ? u.file_digest : std::string{}), u.rows,
                    u.rejected, u.wave, bytes(u.findings.SerializeAsString()));
}

void delete_upload(pqxx::work& tx, const std::string& campaign, std::uint32_t number) {
    tx.exec_params0("DELETE FROM api.uploads WHERE campaign = $1 AND number = $2", campaign, number);
}

void forget_file(pqxx::work& tx, const std::string& campaign, std::uint32_t number) {
    tx.exec_params0("UPDATE api.uploads SET state = 'dropped', file_digest = NULL WHERE campaign = $1 AND number = $2",
                    campaign, number);
}

std::vector<std::pair<std::string, std::uint32_t>>
delete_broken_off_uploads(pqxx::work& tx, const std::string& receiver, std::chrono::seconds patience) {
    std::vector<std::pair<std::string, std::uint32_t>> gone;
    for (const auto& row :
         tx.exec_params("DELETE FROM api.uploads WHERE state = 'receiving' AND (receiver = $1 OR heard < now() - $2 * "
                        "interval '1 second') RETURNING campaign, number",
                        receiver, patience.count())) {
        gone.emplace_back(row[0].as<std::string>(), row[1].as<std::uint32_t>());
    }
    return gone;
}

std::uint32_t begin_freeze(pqxx::work& tx, const std::string& campaign, const std::string& frozen) {
    const auto number = next_upload(tx, campaign);
    tx.exec_params0("INSERT INTO api.uploads (campaign, number, state, frozen) VALUES ($1, $2, 'freezing', $3::jsonb)",
                    campaign, number, frozen);
    return number;
}

std::optional<freeze_job> claim_freeze(pqxx::work& tx, const std::string& who, std::chrono::seconds patience) {
    const auto rows =
        tx.exec_params("UPDATE api.uploads SET receiver = $1, heard = now() WHERE (campaign, number) = (SELECT "
                       "campaign, number FROM api.uploads WHERE state = 'freezing' AND (receiver IN ('', $1) OR heard "
                       "< now() - $2 * interval '1 second') ORDER BY heard LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING "
                       "campaign, number",
                       who, patience.count());
    return rows.empty() ? std::nullopt
                        : std::optional{freeze_job{.campaign = rows[0][0].as<std::string>(),
                                                   .upload = rows[0][1].as<std::uint32_t>()}};
}

bool keep_freeze(pqxx::work& tx, const freeze_job& job, const std::string& who) {
    return tx.exec_params("UPDATE api.uploads SET heard = now() WHERE campaign = $1 AND number = $2 AND receiver = $3 "
                          "AND state = 'freezing'",
                          job.campaign, job.upload, who)
               .affected_rows() == 1;
}

void note_frozen(pqxx::work& tx, const freeze_job& job, const std::string& frozen) {
    tx.exec_params0("UPDATE api.uploads SET frozen = $3::jsonb WHERE campaign = $1 AND number = $2", job.campaign,
                    job.upload, frozen);
}

std::vector<upload> frozen_uploads(pqxx::work& tx, const std::string& campaign) {
    std::vector<upload> out;
    for (const auto& row : tx.exec_params("SELECT * FROM api.uploads WHERE campaign = $1 AND frozen IS NOT NULL ORDER "
                                          "BY number",
                                          campaign)) {
        out.push_back(upload_of(row));
    }
    return out;
}

std::map<std::uint32_t, wave_plan> read_plans(pqxx::work& tx, const std::string& campaign) {
    std::map<std::uint32_t, wave_plan> plans;
    for (const auto& row : tx.exec_params("SELECT r.wave, r.partition, r.end_offset, r.recipients, r.unreachable FROM "
                                          "api.registered r WHERE campaign = $1",
                                          campaign)) {
        auto& plan = plans[row[0].as<std::uint32_t>()];
        plan.registered[row[1].as<std::uint32_t>()] = row[2].as<std::int64_t>();
        plan.recipients += row[3].as<std::uint64_t>();
        plan.unreachable += row[4].as<std::uint64_t>();
    }
    for (const auto& row : tx.exec_params("SELECT r.wave, a.key, sum(a.value::bigint) FROM api.registered r, "
                                          "jsonb_each_text(r.addresses) a WHERE campaign = $1 GROUP BY 1, 2",
                                          campaign)) {
        plans[row[0].as<std::uint32_t>()].addresses[row[1].as<std::string>()] = row[2].as<std::uint64_t>();
    }
    return plans;
}

void add_registered(pqxx::work& tx, const std::string& campaign, const v1::Registered& r) {
    std::string addresses = "{";
    for (const auto& [channel, count] : r.addresses()) {
        addresses += (addresses.size() > 1 ? ",\"" : "\"") + channel + "\":" + std::to_string(count);
    }
    addresses += "}";
    tx.exec_params0("INSERT INTO api.registered VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb) "
                    "ON CONFLICT (campaign, wave, partition) DO UPDATE SET end_offset = $4, recipients = $5, "
                    "unreachable = $6, addresses = $7::jsonb",
                    campaign, r.wave(), r.partition(), r.end_offset(), r.recipients(), r.unreachable(), addresses);
}

void add_approval(pqxx::work& tx, const std::string& campaign, const approval& a) {
    std::string waves = "{";
    for (const auto wave : a.waves) {
        waves += (waves.size() > 1 ? "," : "") + std::to_string(wave);
    }
    tx.exec_params0(
        "INSERT INTO api.approvals (campaign, waves, notice_digest, audience_digest, plan_digest, approver, accepted) "
        "VALUES ($1, $2::int[], $3, $4, $5, $6, $7::jsonb)",
        campaign, waves + "}", bytes(a.notice_digest), bytes(a.audience_digest), bytes(a.plan_digest), a.approver,
        json::serialize(json::value_from(a.accepted)));
}

std::vector<approval> read_approvals(pqxx::work& tx, const std::string& campaign) {
    std::vector<approval> all;
    for (const auto& row :
         tx.exec_params("SELECT array_to_string(waves, ','), notice_digest, audience_digest, plan_digest, "
                        "approver, accepted FROM api.approvals WHERE campaign = $1 ORDER BY at DESC",
                        campaign)) {
        approval a{.notice_digest = text(row[1]),
                   .audience_digest = text(row[2]),
                   .plan_digest = text(row[3]),
                   .approver = row[4].as<std::string>(),
                   .waves = {},
                   .accepted = json::value_to<accepted_findings>(json::parse(row[5].as<std::string>()))};
        const auto list = row[0].as<std::string>();
        for (std::size_t from = 0; from < list.size();) {
            const auto comma = std::min(list.find(',', from), list.size());
            a.waves.push_back(static_cast<std::uint32_t>(std::stoul(list.substr(from, comma - from))));
            from = comma + 1;
        }
        all.push_back(std::move(a));
    }
    return all;
}

void enqueue(pqxx::work& tx, std::string_view topic, std::int32_t partition, std::string_view key,
             std::string_view value) {
    tx.exec_params0("INSERT INTO api.outbox (topic, partition, key, value) VALUES ($1, $2, $3, $4)", std::string{topic},
                    partition, bytes(key), bytes(value));
}

std::vector<outbox_row> read_outbox(pqxx::work& tx, std::size_t most) {
    std::vector<outbox_row> rows;
    for (const auto& row :
         tx.exec_params("SELECT number, topic, partition, key, value FROM api.outbox ORDER BY number LIMIT $1", most)) {
        rows.push_back({.number = row[0].as<std::int64_t>(),
                        .topic = row[1].as<std::string>(),
                        .partition = row[2].as<std::int32_t>(),
                        .key = text(row[3]),
                        .value = text(row[4])});
    }
    return rows;
}

void delete_outbox(pqxx::work& tx, const std::vector<std::int64_t>& numbers) {
    // By exact numbers: a row with a smaller one may have become visible since they were read.
    std::string list = "{";
    for (const auto number : numbers) {
        list += (list.size() > 1 ? "," : "") + std::to_string(number);
    }
    tx.exec_params0("DELETE FROM api.outbox WHERE number = ANY($1::bigint[])", list + "}");
}

bool hold_publisher_lease(pqxx::work& tx, const std::string& who, std::chrono::seconds lasts) {
    return tx.exec_params("UPDATE api.publisher SET holder = $1, heard = now() WHERE holder = $1 OR heard < now() - $2 "
                          "* interval '1 second'",
                          who, lasts.count())
               .affected_rows() == 1;
}

void enqueue_event(pqxx::work& tx, const v1::Event& event, std::int32_t partitions) {
    wire::event_batches batch{partitions};
    batch.add(event);
    for (const auto& [partition, value] : batch.take()) {
        enqueue(tx, wire::events, partition, {}, value);
    }
}

} // namespace store
} // namespace semel::api
