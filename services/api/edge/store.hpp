#pragma once
// The api's tables: campaigns, waves, approvals and the outbox. Plain functions over a transaction, so that a
// change of a campaign, its event and its record for Kafka are one PostgreSQL transaction.

#include <semel/v1/artifact.pb.h>
#include <semel/v1/events.pb.h>

#include <api/core/lifecycle.hpp>
#include <api/schema.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api {

/// An upload, from its first byte to its import.
struct upload {
    std::uint32_t number = 0; // of its campaign's uploads, never used again
    std::uint32_t wave = 0;   // once it is imported
    std::string state;        // receiving or freezing, importing, imported, refused, dropped
    std::string reason;
    std::string file_digest;
    std::uint64_t rows = 0;
    std::uint64_t rejected = 0;
    v1::ImportFindings findings = {};
    std::string frozen; // of a follow-up: JSON, whose people these are and as of when; else empty
};

namespace store {

void insert_campaign(pqxx::work&, const v1::Campaign&, const v1::NoticeSource&, const std::string& creator);
/// Locks the row until the transaction ends: steps of one campaign are one after another.
std::optional<v1::Campaign> lock_campaign(pqxx::work&, const std::string& id);
std::optional<v1::Campaign> read_campaign(pqxx::work&, const std::string& id);
std::vector<v1::Campaign> all_campaigns(pqxx::work&);
std::string creator_of(pqxx::work&, const std::string& id);
v1::NoticeSource notice_of(pqxx::work&, const std::string& id);
/// Stores the new state and puts it into the outbox for `control`.
void update_campaign(pqxx::work&, const v1::Campaign&);

/// The upload of this file, if the campaign had it before.
std::optional<upload> find_upload(pqxx::work&, const std::string& campaign, const std::string& file_digest);
std::optional<upload> read_upload(pqxx::work&, const std::string& campaign, std::uint32_t number);
/// `receiver`: the api process that takes it in.
std::uint32_t begin_upload(pqxx::work&, const std::string& campaign, const std::string& receiver);
/// The receiver lives and goes on. False: it was silent for too long, and the upload was taken for broken off.
bool keep_upload(pqxx::work&, const std::string& campaign, std::uint32_t number);
void update_upload(pqxx::work&, const std::string& campaign, const upload&);
void delete_upload(pqxx::work&, const std::string& campaign, std::uint32_t number);
/// Its wave was dropped: the same file may come again.
void forget_file(pqxx::work&, const std::string& campaign, std::uint32_t number);
/// Removes the uploads that nobody receives any more and gives their campaigns and numbers: those of `receiver`, which
/// has just started, and those whose receiver has been silent for `patience`.
std::vector<std::pair<std::string, std::uint32_t>> delete_broken_off_uploads(pqxx::work&, const std::string& receiver,
                                                                             std::chrono::seconds patience);

/// An upload that nobody sends: a process of the api freezes it from another campaign's ledger. `frozen`: JSON, what is
/// asked for.
std::uint32_t begin_freeze(pqxx::work&, const std::string& campaign, const std::string& frozen);
struct freeze_job {
    std::string campaign;
    std::uint32_t upload = 0;
};
/// The one that has waited longest and that no living process is at; it is `who`'s from now on. What `who` had begun
/// comes again.
std::optional<freeze_job> claim_freeze(pqxx::work&, const std::string& who, std::chrono::seconds patience);
/// `who` goes on. False: it was silent for too long, and another has begun anew.
bool keep_freeze(pqxx::work&, const freeze_job&, const std::string& who);
void note_frozen(pqxx::work&, const freeze_job&, const std::string& frozen);
/// Of all uploads of the campaign, those that were frozen or shall be.
std::vector<upload> frozen_uploads(pqxx::work&, const std::string& campaign);

std::map<std::uint32_t, wave_plan> read_plans(pqxx::work&, const std::string& campaign);
void add_registered(pqxx::work&, const std::string& campaign, const v1::Registered&);
void add_approval(pqxx::work&, const std::string& campaign, const approval&);
std::vector<approval> read_approvals(pqxx::work&, const std::string& campaign);

struct outbox_row {
    std::int64_t number = 0;
    std::string topic;
    std::int32_t partition = 0;
    std::string key;
    std::string value;
};
void enqueue(pqxx::work&, std::string_view topic, std::int32_t partition, std::string_view key, std::string_view value);
/// Oldest first.
std::vector<outbox_row> read_outbox(pqxx::work&, std::size_t most);
void delete_outbox(pqxx::work&, const std::vector<std::int64_t>& numbers);
/// Takes or keeps the right to publish; false while another has it, whose last word is younger than `lasts`.
bool hold_publisher_lease(pqxx::work&, const std::string& who, std::chrono::seconds lasts);

/// An event of the api's own (operator actions, sealed waves, decided doubts), through the outbox.
void enqueue_event(pqxx::work&, const v1::Event&, std::int32_t partitions);

} // namespace store
} // namespace semel::api
