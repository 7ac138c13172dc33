#include "schema.hpp"

#include <postgres/pool.hpp>

namespace semel::receipts {
namespace {

// What has been released is never changed: a change is one more.

// What was told, what waits for its message, and what is in doubt.
constexpr const char* first_tables = R"(
CREATE SCHEMA IF NOT EXISTS receipts;
CREATE TABLE receipts.known (notification bytea NOT NULL, attempt int NOT NULL, what smallint NOT NULL,
    gateway text NOT NULL, message_id text NOT NULL, campaign text NOT NULL, channel smallint NOT NULL,
    test boolean NOT NULL, at_us bigint NOT NULL, PRIMARY KEY (notification, attempt, what, message_id));
CREATE INDEX known_by_message ON receipts.known (gateway, message_id) WHERE message_id <> '';
CREATE INDEX known_by_age ON receipts.known USING brin (at_us);
CREATE TABLE receipts.orphan (id bigserial PRIMARY KEY, gateway text NOT NULL, message_id text NOT NULL,
    state int NOT NULL, code text NOT NULL, named bytea NOT NULL, destination_hash bytea NOT NULL, reference int NOT NULL,
    at_us bigint NOT NULL, parked_us bigint NOT NULL, receipt bytea NOT NULL,
    UNIQUE (gateway, message_id, state, code, named));
CREATE INDEX orphan_by_name ON receipts.orphan (named) WHERE named <> '';
CREATE INDEX orphan_by_destination ON receipts.orphan (destination_hash) WHERE destination_hash <> '';
CREATE INDEX orphan_by_age ON receipts.orphan (parked_us);
CREATE TABLE receipts.open_doubt (notification bytea PRIMARY KEY, partition int NOT NULL, campaign text NOT NULL,
    channel smallint NOT NULL, attempt int NOT NULL, test boolean NOT NULL, gateway text NOT NULL,
    destination_hash bytea NOT NULL, reference int NOT NULL, since_us bigint NOT NULL);
CREATE INDEX open_doubt_by_destination ON receipts.open_doubt (destination_hash) WHERE destination_hash <> '';
)";

// Which parked receipts may be about which doubt.
constexpr const char* evidence_of_doubts = R"(
-- Whether a receipt may be about a doubt, its number left aside. Without a reference it may be about any; and a gateway
-- may have reported before our own clock says that the message went: allow for the answer's wait.
CREATE FUNCTION receipts.may_mean(o receipts.orphan, d receipts.open_doubt) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $f$ SELECT (d.gateway = '' OR d.gateway = o.gateway) AND (o.reference = 0 OR o.reference = d.reference)
            AND o.at_us >= d.since_us - 600000000 $f$;

-- Receipts parked up to then, with each open doubt that they may be about, and how many those are. A message whose
-- number cannot be read (its campaign's key is not known here) may be the one that is meant.
CREATE FUNCTION receipts.fits(parked_before bigint) RETURNS TABLE (orphan bigint, notification bytea, candidates bigint)
LANGUAGE sql STABLE AS $f$
    SELECT o.id, d.notification, count(*) OVER (PARTITION BY o.id) + (SELECT count(*) FROM receipts.open_doubt u
        WHERE u.channel IN (0, 3) AND u.destination_hash = '' AND receipts.may_mean(o, u))
    FROM receipts.open_doubt d JOIN receipts.orphan o ON o.destination_hash = d.destination_hash
        AND o.destination_hash <> '' AND receipts.may_mean(o, d)
    WHERE o.parked_us <= parked_before $f$;

-- What was looked for in vain, for each open doubt of a campaign: parked receipts that may be about it (`fitting`; the
-- fewest messages that one of them can mean), those to its number that name another message, and whether its number can
-- be compared at all.
CREATE FUNCTION receipts.evidence(wanted text) RETURNS TABLE (notification bytea, comparable boolean, fitting bigint,
    candidates bigint, others bigint) LANGUAGE sql STABLE AS $f$
    SELECT d.notification, d.destination_hash <> '', coalesce(f.n, 0), coalesce(f.candidates, 0),
        (SELECT count(*) FROM receipts.orphan o WHERE o.destination_hash = d.destination_hash
            AND o.destination_hash <> '' AND NOT receipts.may_mean(o, d))
    FROM receipts.open_doubt d LEFT JOIN (
        SELECT notification, count(*) AS n, min(candidates) AS candidates
        FROM receipts.fits(9223372036854775807) GROUP BY 1) f USING (notification)
    WHERE d.campaign = wanted $f$;
)";

// A known message's receipt says nothing of another.
constexpr const char* known_is_no_evidence = R"(
-- A receipt that a crash left parked after its message had become known is evidence for no other message.
CREATE OR REPLACE FUNCTION receipts.may_mean(o receipts.orphan, d receipts.open_doubt) RETURNS boolean LANGUAGE sql STABLE AS
    $f$ SELECT (d.gateway = '' OR d.gateway = o.gateway) AND (o.reference = 0 OR o.reference = d.reference)
            AND o.at_us >= d.since_us - 600000000
            AND NOT EXISTS (SELECT 1 FROM receipts.known k WHERE o.message_id <> '' AND k.gateway = o.gateway
                            AND k.message_id = o.message_id AND k.notification <> d.notification) $f$;
)";

// Ids in other spellings, and whose number it is.
constexpr const char* ids_in_other_spellings = R"(
-- plain, forms: ids without what two spellings of one id differ in, and the other readings of a report's (sms/core/receipt).
-- number: keyed hash of the last digits. waits: no unconfirmed match has been looked for yet.
ALTER TABLE receipts.known ADD COLUMN plain text NOT NULL DEFAULT '', ADD COLUMN number bytea NOT NULL DEFAULT '',
    ADD COLUMN part int NOT NULL DEFAULT 0, ADD COLUMN parts int NOT NULL DEFAULT 0;
CREATE INDEX known_by_plain_id ON receipts.known (gateway, plain) WHERE plain <> '';
ALTER TABLE receipts.orphan ADD COLUMN forms text[] NOT NULL DEFAULT '{}', ADD COLUMN number bytea NOT NULL DEFAULT '',
    ADD COLUMN inferable boolean NOT NULL DEFAULT false, ADD COLUMN waits boolean NOT NULL DEFAULT true,
    ADD COLUMN times bigint NOT NULL DEFAULT 1, ADD COLUMN last_us bigint NOT NULL DEFAULT 0;
CREATE INDEX orphan_by_form ON receipts.orphan USING gin (forms);
CREATE TABLE receipts.progress (topic text NOT NULL, partition int NOT NULL, next bigint NOT NULL,
    PRIMARY KEY (topic, partition));
CREATE INDEX orphan_by_wait ON receipts.orphan (parked_us) WHERE waits;

-- SMPP's user_message_reference of a notification (sms/core/addressing).
CREATE FUNCTION receipts.reference_of(notification bytea) RETURNS int LANGUAGE sql IMMUTABLE AS
    $f$ SELECT get_byte(notification, 0) * 256 + get_byte(notification, 1) $f$;

-- The one accepted message that a report can mean; no row: none, or several. In this order:
-- 1. the id exactly as it was given, unless the report's number (or, where no number can be compared, its reference)
--    is another's. A centre may use an id again after a year: the latest.
-- 2. the id in another spelling, if one message alone has it and neither number nor reference speak against it. Where
--    they speak for it (`confirmed` asks for that), it goes before others; where the exact id exists, too, only the
--    number makes it believed.
CREATE FUNCTION receipts.meant(of_gateway text, id text, forms text[], its_number bytea, its_reference int,
    confirmed boolean) RETURNS TABLE (notification bytea, attempt int, campaign text, channel smallint, test boolean,
    known_as text, part int, parts int) LANGUAGE sql STABLE AS $f$
    WITH named AS (
        SELECT k.notification, k.attempt, k.campaign, k.channel, k.test, k.message_id, k.part, k.parts, k.at_us,
            k.message_id = id AS exact, k.channel = 3 AND k.number <> '' AND its_number <> '' AS comparable,
            k.number = its_number AS same, k.channel = 3 AND its_reference <> 0 AS referred,
            receipts.reference_of(k.notification) = its_reference AS fits
        FROM receipts.known k WHERE k.gateway = of_gateway AND k.message_id <> ''
            AND (k.message_id = id OR k.plain <> '' AND k.plain = ANY(forms))),
    possible AS (SELECT * FROM named n WHERE NOT (CASE WHEN n.comparable THEN NOT n.same ELSE n.referred AND NOT n.fits END)),
    others AS (
        SELECT p.*, p.comparable AND p.same AS by_number,
            p.comparable AND p.same OR p.referred AND p.fits AS spoken_for
        FROM possible p WHERE NOT p.exact AND (NOT p.comparable OR NOT p.referred OR p.fits)),
    believed AS (
        SELECT * FROM others o WHERE CASE WHEN EXISTS (SELECT 1 FROM named WHERE exact) THEN o.by_number
            ELSE o.spoken_for OR NOT confirmed AND NOT EXISTS (SELECT 1 FROM others WHERE spoken_for) END)
    (SELECT p.notification, p.attempt, p.campaign, p.channel, p.test, p.message_id, p.part, p.parts
     FROM possible p WHERE p.exact ORDER BY p.at_us DESC LIMIT 1)
    UNION ALL
    (SELECT b.notification, b.attempt, b.campaign, b.channel, b.test, b.message_id, b.part, b.parts FROM believed b
     WHERE NOT EXISTS (SELECT 1 FROM possible WHERE exact)
         AND (SELECT count(DISTINCT notification) FROM believed) = 1 ORDER BY b.at_us DESC LIMIT 1) $f$;

-- By its number alone a report settles a doubt only if our reference comes with it, if its gateway carries nobody else's
-- messages (`exclusive` in semel.yaml), and within three days. One that names a known message, in whatever spelling, is
-- evidence for no other.
CREATE OR REPLACE FUNCTION receipts.may_mean(o receipts.orphan, d receipts.open_doubt) RETURNS boolean LANGUAGE sql STABLE AS
    $f$ SELECT o.inferable AND (d.gateway = '' OR d.gateway = o.gateway) AND o.reference <> 0
            AND o.reference = d.reference AND o.message_id <> ''
            AND o.at_us BETWEEN d.since_us - 600000000 AND d.since_us + 259200000000
            AND NOT EXISTS (SELECT 1 FROM receipts.known k WHERE k.gateway = o.gateway AND k.message_id <> ''
                AND (k.message_id = o.message_id OR k.plain <> '' AND k.plain = ANY(o.forms))
                AND k.notification <> d.notification) $f$;

-- Reports that match no message, the latest first; never a number.
CREATE FUNCTION receipts.unmatched(parked_before bigint) RETURNS TABLE (gateway text, message_id text, state int,
    code text, times bigint, first_us bigint, last_us bigint, why text) LANGUAGE sql STABLE AS $f$
    SELECT o.gateway, o.message_id, o.state, o.code, o.times, o.at_us, greatest(o.at_us, o.last_us),
        CASE WHEN o.message_id = '' THEN 'it names no message'
             WHEN EXISTS (SELECT 1 FROM receipts.known k WHERE k.gateway = o.gateway AND k.message_id = o.message_id)
                 THEN 'its id is another number''s'
             WHEN EXISTS (SELECT 1 FROM receipts.known k WHERE k.gateway = o.gateway AND k.plain <> ''
                 AND k.plain = ANY(o.forms)) THEN 'its id may mean several messages, or another number''s'
             ELSE 'no message has this id' END
    FROM receipts.orphan o WHERE o.parked_us <= parked_before ORDER BY 7 DESC $f$;
)";

// The index of spellings keeps nothing pending.
constexpr const char* forms_found_at_once = R"(
-- It is asked hundreds of times for each batch, and every question would read through what is pending.
ALTER INDEX receipts.orphan_by_form SET (fastupdate = off);
SELECT gin_clean_pending_list('receipts.orphan_by_form');
)";

// Hashes under different keys are not compared.
constexpr const char* numbers_by_key = R"(
-- The hash of a number names its key (sms/core/number_hash), in what stands before its 16 bytes; older versions' name none.
-- Under different keys nothing follows from two hashes being different.
CREATE FUNCTION receipts.key_of(hash bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $f$ SELECT substring(hash FROM 1 FOR greatest(length(hash) - 16, 0)) $f$;

CREATE OR REPLACE FUNCTION receipts.fits(parked_before bigint) RETURNS TABLE (orphan bigint, notification bytea, candidates bigint)
LANGUAGE sql STABLE AS $f$
    SELECT o.id, d.notification, count(*) OVER (PARTITION BY o.id) + (SELECT count(*) FROM receipts.open_doubt u
        WHERE u.channel IN (0, 3) AND (u.destination_hash = ''
            OR receipts.key_of(u.destination_hash) <> receipts.key_of(o.destination_hash)) AND receipts.may_mean(o, u))
    FROM receipts.open_doubt d JOIN receipts.orphan o ON o.destination_hash = d.destination_hash
        AND o.destination_hash <> '' AND receipts.may_mean(o, d)
    WHERE o.parked_us <= parked_before $f$;

CREATE OR REPLACE FUNCTION receipts.meant(of_gateway text, id text, forms text[], its_number bytea, its_reference int,
    confirmed boolean) RETURNS TABLE (notification bytea, attempt int, campaign text, channel smallint, test boolean,
    known_as text, part int, parts int) LANGUAGE sql STABLE AS $f$
    WITH named AS (
        SELECT k.notification, k.attempt, k.campaign, k.channel, k.test, k.message_id, k.part, k.parts, k.at_us,
            k.message_id = id AS exact, k.channel = 3 AND k.number <> '' AND its_number <> ''
                AND receipts.key_of(k.number) = receipts.key_of(its_number) AS comparable,
            k.number = its_number AS same, k.channel = 3 AND its_reference <> 0 AS referred,
            receipts.reference_of(k.notification) = its_reference AS fits
        FROM receipts.known k WHERE k.gateway = of_gateway AND k.message_id <> ''
            AND (k.message_id = id OR k.plain <> '' AND k.plain = ANY(forms))),
    possible AS (SELECT * FROM named n WHERE NOT (CASE WHEN n.comparable THEN NOT n.same ELSE n.referred AND NOT n.fits END)),
    others AS (
        SELECT p.*, p.comparable AND p.same AS by_number,
            p.comparable AND p.same OR p.referred AND p.fits AS spoken_for
        FROM possible p WHERE NOT p.exact AND (NOT p.comparable OR NOT p.referred OR p.fits)),
    believed AS (
        SELECT * FROM others o WHERE CASE WHEN EXISTS (SELECT 1 FROM named WHERE exact) THEN o.by_number
            ELSE o.spoken_for OR NOT confirmed AND NOT EXISTS (SELECT 1 FROM others WHERE spoken_for) END)
    (SELECT p.notification, p.attempt, p.campaign, p.channel, p.test, p.message_id, p.part, p.parts
     FROM possible p WHERE p.exact ORDER BY p.at_us DESC LIMIT 1)
    UNION ALL
    (SELECT b.notification, b.attempt, b.campaign, b.channel, b.test, b.message_id, b.part, b.parts FROM believed b
     WHERE NOT EXISTS (SELECT 1 FROM possible WHERE exact)
         AND (SELECT count(DISTINCT notification) FROM believed) = 1 ORDER BY b.at_us DESC LIMIT 1) $f$;
)";

} // namespace

void migrate(pqxx::connection& connection) {
    postgres::migrate(connection, "receipts",
                      {first_tables, evidence_of_doubts, known_is_no_evidence, ids_in_other_spellings,
                       forms_found_at_once, numbers_by_key});
}

} // namespace semel::receipts
