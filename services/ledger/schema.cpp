#include "schema.hpp"

#include <postgres/pool.hpp>

namespace semel::ledger {
namespace {

// A campaign has a number, because a number in every row is smaller than its id; each table has one partition for each
// campaign, with keys of its own. Partitions are made apart and attached: that does not lock out who reads or writes.
//
// Columns was* of notifications hold what stood there before the last change: it is how one statement both changes a
// row and counts what changed. Totals are kept in the same transactions, so that counting never reads the tables.
constexpr const char* tables = R"(
CREATE SCHEMA IF NOT EXISTS ledger;

CREATE TABLE ledger.positions (topic text, partition int, next bigint NOT NULL, PRIMARY KEY (topic, partition));

CREATE TABLE ledger.campaigns (number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE,
    reached bigint NOT NULL DEFAULT 0, in_doubt bigint NOT NULL DEFAULT 0, outstanding bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0, unreachable bigint NOT NULL DEFAULT 0, dead_letters bigint NOT NULL DEFAULT 0)
    WITH (fillfactor = 50);
CREATE TABLE ledger.wave_totals (campaign int, wave int, sealed boolean NOT NULL DEFAULT false,
    rows bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0, released bigint NOT NULL DEFAULT 0,
    doubles bigint NOT NULL DEFAULT 0, PRIMARY KEY (campaign, wave)) WITH (fillfactor = 50);
CREATE TABLE ledger.channel_totals (campaign int, channel smallint, planned bigint NOT NULL DEFAULT 0,
    covered bigint NOT NULL DEFAULT 0, accepted bigint NOT NULL DEFAULT 0, delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0, unresolved bigint NOT NULL DEFAULT 0, presumed_sent bigint NOT NULL DEFAULT 0,
    resent bigint NOT NULL DEFAULT 0, doubtful bigint NOT NULL DEFAULT 0, retrying bigint NOT NULL DEFAULT 0,
    fresh bigint NOT NULL DEFAULT 0, PRIMARY KEY (campaign, channel))
    WITH (fillfactor = 50);
CREATE TABLE ledger.paces (campaign int, channel smallint, second bigint, accepted bigint NOT NULL,
    PRIMARY KEY (campaign, channel, second)) WITH (fillfactor = 50);

CREATE TABLE ledger.events (campaign int NOT NULL, id bytea NOT NULL, kind smallint NOT NULL, time_us bigint NOT NULL,
    notification bytea NOT NULL, channel smallint NOT NULL, attempt int NOT NULL, gateway text NOT NULL,
    code text NOT NULL, text text NOT NULL, gateway_message_id text NOT NULL, content_sha256 bytea NOT NULL,
    wave int NOT NULL, row bigint NOT NULL, recipient_ref bytea NOT NULL, receipt smallint NOT NULL,
    actor text NOT NULL, rows bigint NOT NULL, rejected bigint NOT NULL, test boolean NOT NULL)
    PARTITION BY LIST (campaign);
CREATE TABLE ledger.recipients (campaign int NOT NULL, recipient_ref bytea NOT NULL, wave int NOT NULL,
    row bigint NOT NULL, id bytea NOT NULL, time_us bigint NOT NULL, rejected boolean NOT NULL, sealed bytea NOT NULL,
    channels smallint[] NOT NULL, notifications bytea[] NOT NULL, roles smallint[] NOT NULL,
    artifacts bytea[] NOT NULL, supplements boolean[] NOT NULL) PARTITION BY LIST (campaign);
CREATE TABLE ledger.persons (campaign int NOT NULL, recipient_ref bytea NOT NULL, reached smallint NOT NULL DEFAULT 0,
    in_doubt smallint NOT NULL DEFAULT 0, outstanding smallint NOT NULL DEFAULT 0, failed smallint NOT NULL DEFAULT 0)
    PARTITION BY LIST (campaign);
CREATE TABLE ledger.notifications (campaign int NOT NULL, notification bytea NOT NULL, channel smallint NOT NULL,
    line smallint NOT NULL, seen smallint NOT NULL, was smallint NOT NULL, was_seen smallint NOT NULL,
    progress int NOT NULL, carrier bytea, wave int NOT NULL, row bigint NOT NULL, stands boolean NOT NULL,
    was_carried boolean NOT NULL) PARTITION BY LIST (campaign);
CREATE TABLE ledger.shares (campaign int NOT NULL, notification bytea NOT NULL, recipient_ref bytea NOT NULL)
    PARTITION BY LIST (campaign);

CREATE FUNCTION ledger.number_of(campaign text) RETURNS int LANGUAGE sql STABLE AS
    $f$ SELECT number FROM ledger.campaigns WHERE id = campaign $f$;

CREATE FUNCTION ledger.make_campaign(name text) RETURNS int LANGUAGE plpgsql AS $f$
DECLARE
    n int;
    key text;
    part text;
BEGIN
    n := ledger.number_of(name);
    IF n IS NOT NULL THEN
        RETURN n;
    END IF;
    -- Two ledgers that meet a campaign at once: the second waits here, and finds it.
    PERFORM pg_advisory_xact_lock(hashtextextended('semel.ledger.campaign', 0));
    SELECT number INTO n FROM ledger.campaigns WHERE id = name;
    IF n IS NOT NULL THEN
        RETURN n;
    END IF;
    INSERT INTO ledger.campaigns (id) VALUES (name) RETURNING number INTO n;
    FOR part, key IN VALUES ('events', 'notification, id'), ('recipients', 'recipient_ref, wave, row'),
                            ('persons', 'recipient_ref'), ('notifications', 'notification'),
                            ('shares', 'notification, recipient_ref') LOOP
        EXECUTE format('CREATE TABLE ledger.%1$s_%2$s (LIKE ledger.%1$s INCLUDING DEFAULTS, PRIMARY KEY (%3$s), '
                       'CONSTRAINT of_campaign CHECK (campaign = %2$s)) %4$s', part, n, key,
                       CASE WHEN part IN ('persons', 'notifications') THEN 'WITH (fillfactor = 70)' ELSE '' END);
        EXECUTE format('ALTER TABLE ledger.%1$s ATTACH PARTITION ledger.%1$s_%2$s FOR VALUES IN (%2$s)', part, n);
    END LOOP;
    RETURN n;
END $f$;
)";

constexpr const char* meanings = R"(
-- services/ledger/core/notification_state.cpp, line_of.
CREATE FUNCTION ledger.line_of(progress int, seen int) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT (CASE WHEN seen & 1 <> 0 AND seen & 4 <> 0 AND seen & 2 = 0 THEN 4
                 WHEN seen & 1 <> 0 THEN 5
                 ELSE (ARRAY[0, 0, 2, 1, 3, 6, 4, 1])[progress % 8 + 1] END)::smallint $f$;

-- A person's line from how many of its messages stand where: the first that holds.
CREATE FUNCTION ledger.person_line(reached int, in_doubt int, outstanding int, failed int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT CASE WHEN reached > 0 THEN 'reached' WHEN in_doubt > 0 THEN 'in_doubt'
                WHEN outstanding > 0 THEN 'outstanding' WHEN failed > 0 THEN 'failed' ELSE 'unreachable' END $f$;

CREATE FUNCTION ledger.line_name(line int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT (ARRAY['outstanding', 'retrying', 'doubtful', 'unresolved', 'failed', 'accepted', 'presumed_sent'])
        [line + 1] $f$;

CREATE FUNCTION ledger.channel_name(channel int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $f$ SELECT coalesce((ARRAY['email', 'push', 'sms'])[channel], '') $f$;

CREATE FUNCTION ledger.kind_name(kind int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT CASE kind WHEN 1 THEN 'recipient' WHEN 2 THEN 'recipient_rejected' WHEN 10 THEN 'accepted'
        WHEN 11 THEN 'failed' WHEN 12 THEN 'deferred' WHEN 13 THEN 'awaiting' WHEN 14 THEN 'in_doubt'
        WHEN 15 THEN 'resent' WHEN 16 THEN 'presumed_sent' WHEN 17 THEN 'unresolved' WHEN 18 THEN 'resolved'
        WHEN 20 THEN 'receipt' WHEN 21 THEN 'dead_letter' WHEN 30 THEN 'wave_sealed' WHEN 31 THEN 'operator'
        ELSE 'kind ' || kind END $f$;

CREATE FUNCTION ledger.receipt_name(receipt int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT coalesce((ARRAY['delivered', 'bounced', 'complained', 'read', 'intermediate', 'unknown'])[receipt], '') $f$;

CREATE FUNCTION ledger.role_name(role int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $f$ SELECT (ARRAY['own', 'covered', 'told_earlier'])[role + 1] $f$;

CREATE FUNCTION ledger.time_of(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $f$ SELECT timestamptz 'epoch' + us * interval '1 microsecond' $f$;
)";

constexpr const char* answers = R"(
-- One row, also for a campaign that the ledger has not heard of. Rows of sealed waves that plan has not released yet
-- are outstanding. A later wave's row of a known person is no row of its own: its person counts once.
CREATE FUNCTION ledger.coverage(campaign text, OUT rows bigint, OUT reached bigint, OUT failed bigint,
    OUT unreachable bigint, OUT in_doubt bigint, OUT outstanding bigint, OUT rejected bigint)
LANGUAGE sql STABLE AS $f$
    SELECT coalesce(c.reached + c.failed + c.unreachable + c.in_doubt + c.outstanding, 0) + w.waiting + w.rejected,
        coalesce(c.reached, 0), coalesce(c.failed, 0), coalesce(c.unreachable, 0), coalesce(c.in_doubt, 0),
        coalesce(c.outstanding, 0) + w.waiting, w.rejected
    FROM (SELECT coalesce(sum(CASE WHEN sealed THEN greatest(t.rows - t.rejected - t.released - t.doubles, 0) END),
                          0)::bigint AS waiting,
              coalesce(sum(t.rejected + t.doubles), 0)::bigint AS rejected
          FROM ledger.wave_totals t WHERE t.campaign = ledger.number_of(coverage.campaign)) w
    LEFT JOIN ledger.campaigns c ON c.id = coverage.campaign $f$;

CREATE FUNCTION ledger.waves(campaign text) RETURNS TABLE (wave int, sealed boolean, rows bigint, rejected bigint,
    released bigint, doubles bigint) LANGUAGE sql STABLE AS $f$
    SELECT t.wave, t.sealed, t.rows, t.rejected, t.released, t.doubles
    FROM ledger.wave_totals t WHERE t.campaign = ledger.number_of(waves.campaign) ORDER BY 1 $f$;

-- planned = accepted + failed + in_doubt + outstanding. Of in_doubt: unresolved and presumed_sent. Of outstanding:
-- retrying (deferred or resent) and doubtful (in doubt, waiting for evidence). resent is no line: sent again while in
-- doubt, whatever became of it.
CREATE FUNCTION ledger.channels(campaign text) RETURNS TABLE (channel text, planned bigint, covered bigint,
    accepted bigint, delivered bigint, failed bigint, in_doubt bigint, unresolved bigint, presumed_sent bigint,
    resent bigint, outstanding bigint, retrying bigint, doubtful bigint, rate_per_s double precision)
LANGUAGE sql STABLE AS $f$
    SELECT ledger.channel_name(t.channel), t.planned, t.covered, t.accepted, t.delivered, t.failed,
        t.unresolved + t.presumed_sent, t.unresolved, t.presumed_sent, t.resent, t.fresh + t.retrying + t.doubtful,
        t.retrying, t.doubtful,
        coalesce((SELECT sum(p.accepted) FROM ledger.paces p WHERE p.campaign = t.campaign AND p.channel = t.channel
            AND p.second >= extract(epoch FROM now())::bigint - 10), 0) / 10.0::double precision
    FROM ledger.channel_totals t WHERE t.campaign = ledger.number_of(channels.campaign) ORDER BY t.channel $f$;

-- Messages that are not settled, those of rows included whose person counts by another row.
CREATE FUNCTION ledger.open_messages(campaign text) RETURNS bigint LANGUAGE sql STABLE AS $f$
    SELECT coalesce(sum(t.fresh + t.retrying + t.doubtful), 0)::bigint
    FROM ledger.channel_totals t WHERE t.campaign = ledger.number_of(open_messages.campaign) $f$;

-- Records of this campaign that could not be read; `unattributed`: whose campaign could not be read either.
CREATE FUNCTION ledger.dead_letters(campaign text, OUT letters bigint, OUT unattributed bigint)
LANGUAGE sql STABLE AS $f$
    SELECT coalesce((SELECT c.dead_letters FROM ledger.campaigns c WHERE c.id = dead_letters.campaign), 0),
           coalesce((SELECT c.dead_letters FROM ledger.campaigns c WHERE c.id = ''), 0) $f$;

CREATE FUNCTION ledger.recipient(campaign text, ref bytea) RETURNS TABLE (wave int, "row" bigint, rejected boolean,
    sealed bytea) LANGUAGE sql STABLE AS $f$
    SELECT r.wave, r.row, r.rejected, r.sealed FROM ledger.recipients r
    WHERE r.campaign = ledger.number_of(recipient.campaign) AND r.recipient_ref = ref ORDER BY 1, 2 $f$;

CREATE FUNCTION ledger.links(campaign text, ref bytea) RETURNS TABLE (channel text, notification bytea, role text,
    artifact bytea, supplement boolean, wave int, "row" bigint) LANGUAGE sql STABLE AS $f$
    SELECT ledger.channel_name(l.channel), l.notification, ledger.role_name(l.role), nullif(l.artifact, ''),
        l.supplement, r.wave, r.row
    FROM ledger.recipients r, unnest(r.channels, r.notifications, r.roles, r.artifacts, r.supplements)
        WITH ORDINALITY AS l(channel, notification, role, artifact, supplement, place)
    WHERE r.campaign = ledger.number_of(links.campaign) AND r.recipient_ref = ref ORDER BY r.wave, r.row, l.place $f$;

-- What happened to a person: its rows, and every event of each message that is its own or reaches it.
CREATE FUNCTION ledger.story(campaign text, ref bytea) RETURNS TABLE ("time" timestamptz, channel text, kind text,
    attempt int, gateway text, code text, text text, gateway_message_id text, content_sha256 bytea,
    notification bytea, actor text) LANGUAGE sql STABLE AS $f$
    SELECT ledger.time_of(s.time_us), ledger.channel_name(s.channel), ledger.kind_name(s.kind), s.attempt, s.gateway,
        s.code, s.text, s.gateway_message_id, s.content_sha256, s.notification, s.actor
    FROM (SELECT r.time_us, 0 AS channel, CASE WHEN r.rejected THEN 2 ELSE 1 END AS kind, 0 AS attempt, '' AS gateway,
              '' AS code, format('wave %s, row %s', r.wave, r.row) AS text, '' AS gateway_message_id,
              ''::bytea AS content_sha256, ''::bytea AS notification, '' AS actor, r.id
          FROM ledger.recipients r WHERE r.campaign = ledger.number_of(story.campaign) AND r.recipient_ref = ref
          UNION ALL
          SELECT e.time_us, e.channel, e.kind, e.attempt, e.gateway,
              CASE WHEN e.kind = 20 THEN concat_ws(' ', ledger.receipt_name(e.receipt), nullif(e.code, ''))
                   ELSE e.code END,
              e.text, e.gateway_message_id, e.content_sha256, e.notification, e.actor, e.id
          FROM (SELECT DISTINCT l.notification FROM ledger.links(story.campaign, ref) l) m
          JOIN ledger.events e ON e.campaign = ledger.number_of(story.campaign) AND e.notification = m.notification
         ) s
    ORDER BY s.time_us, s.kind, s.id $f$;

-- Everybody who is in another line than "reached", by the person's latest row.
CREATE FUNCTION ledger.unreached(campaign text) RETURNS TABLE (recipient_ref bytea, line text, sealed bytea)
LANGUAGE sql STABLE AS $f$
    SELECT p.recipient_ref, ledger.person_line(p.reached, p.in_doubt, p.outstanding, p.failed), r.sealed
    FROM ledger.persons p CROSS JOIN LATERAL (
        SELECT r.wave, r.row, r.sealed FROM ledger.recipients r
        WHERE r.campaign = p.campaign AND r.recipient_ref = p.recipient_ref AND NOT r.rejected
        ORDER BY r.wave DESC, r.row DESC LIMIT 1) r
    WHERE p.campaign = ledger.number_of(unreached.campaign) AND p.reached = 0 ORDER BY r.wave, r.row $f$;

-- Messages of which nobody knows whether they were accepted. state: waiting (for evidence, until the policy decides),
-- unresolved (an approver decides), presumed_sent. `attempt` is the one that a decision must name; the doubt itself may
-- be about an earlier one: code, text and since are of its events, decided_* of what the policy or an approver decided.
CREATE FUNCTION ledger.in_doubt(campaign text) RETURNS TABLE (notification bytea, recipient_ref bytea, sealed bytea,
    channel text, gateway text, attempt int, state text, since_us bigint, code text, text text, resent boolean,
    unknown_receipts bigint, decided_code text, decided_text text, decided_by text)
LANGUAGE sql STABLE AS $f$
    SELECT n.notification, n.carrier, r.sealed, ledger.channel_name(n.channel), coalesce(d.gateway, l.gateway, ''),
        n.progress / 8, CASE n.line WHEN 3 THEN 'unresolved' WHEN 6 THEN 'presumed_sent' ELSE 'waiting' END,
        coalesce(d.since_us, l.time_us, 0), coalesce(d.code, ''), coalesce(d.text, ''), n.seen & 16 <> 0,
        (SELECT count(*) FROM ledger.events e WHERE e.campaign = n.campaign AND e.notification = n.notification
            AND e.kind = 20 AND e.receipt = 6),
        coalesce(l.code, ''), coalesce(l.text, ''), coalesce(l.actor, '')
    FROM ledger.notifications n
    LEFT JOIN ledger.recipients r ON r.campaign = n.campaign AND r.recipient_ref = n.carrier AND r.wave = n.wave
        AND r.row = n.row
    LEFT JOIN LATERAL (
        SELECT nullif(max(e.gateway), '') AS gateway, min(e.time_us) AS since_us,
            max(e.code) FILTER (WHERE e.kind = 14) AS code, max(e.text) FILTER (WHERE e.kind = 14) AS text
        FROM ledger.events e
        WHERE e.campaign = n.campaign AND e.notification = n.notification AND e.kind IN (13, 14)
            AND e.attempt <= n.progress / 8
        GROUP BY e.attempt ORDER BY e.attempt DESC LIMIT 1) d ON true
    LEFT JOIN LATERAL (
        SELECT e.gateway, e.time_us, e.code, e.text, e.actor FROM ledger.events e
        WHERE e.campaign = n.campaign AND e.notification = n.notification AND e.attempt = n.progress / 8
            AND e.kind = CASE n.line WHEN 3 THEN 17 WHEN 6 THEN 16 END
        ORDER BY e.time_us DESC LIMIT 1) l ON true
    WHERE n.campaign = ledger.number_of(in_doubt.campaign) AND n.line IN (2, 3, 6) AND n.carrier IS NOT NULL
    ORDER BY coalesce(d.since_us, l.time_us), n.notification $f$;

-- Messages that were sent again while they were in doubt, whatever became of them: told at least once, maybe twice.
-- By whom: empty for the campaign's policy. withdrawn: of these times, how often the dispatcher learned in time that
-- the copy before had been accepted, and did not send.
CREATE FUNCTION ledger.resent(campaign text) RETURNS TABLE (notification bytea, recipient_ref bytea, sealed bytea,
    channel text, gateway text, state text, first_us bigint, times bigint, withdrawn bigint, decided_by text)
LANGUAGE sql STABLE AS $f$
    SELECT n.notification, n.carrier, r.sealed, ledger.channel_name(n.channel), e.gateway, ledger.line_name(n.line),
        e.first_us, e.times, w.withdrawn, e.actors
    FROM ledger.notifications n
    LEFT JOIN ledger.recipients r ON r.campaign = n.campaign AND r.recipient_ref = n.carrier AND r.wave = n.wave
        AND r.row = n.row
    CROSS JOIN LATERAL (
        SELECT min(e.time_us) AS first_us, count(*) AS times, max(e.gateway) AS gateway,
            coalesce(string_agg(DISTINCT nullif(e.actor, ''), ', '), '') AS actors
        FROM ledger.events e
        WHERE e.campaign = n.campaign AND e.notification = n.notification AND e.kind = 15
            AND e.code <> 'semel:refused-late') e
    CROSS JOIN LATERAL (
        SELECT count(*) AS withdrawn FROM ledger.events e
        WHERE e.campaign = n.campaign AND e.notification = n.notification AND e.kind = 11
            AND e.code = 'semel:superseded') w
    WHERE n.campaign = ledger.number_of(resent.campaign) AND n.seen & 16 <> 0 AND n.carrier IS NOT NULL
    ORDER BY e.first_us, n.notification $f$;
)";

constexpr const char* dropped_waves = R"(
ALTER TABLE ledger.wave_totals ADD COLUMN dropped boolean NOT NULL DEFAULT false;
)";

constexpr const char* repeated_rows = R"(
CREATE OR REPLACE FUNCTION ledger.kind_name(kind int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT CASE kind WHEN 1 THEN 'recipient' WHEN 2 THEN 'recipient_repeated' WHEN 10 THEN 'accepted'
        WHEN 11 THEN 'failed' WHEN 12 THEN 'deferred' WHEN 13 THEN 'awaiting' WHEN 14 THEN 'in_doubt'
        WHEN 15 THEN 'resent' WHEN 16 THEN 'presumed_sent' WHEN 17 THEN 'unresolved' WHEN 18 THEN 'resolved'
        WHEN 20 THEN 'receipt' WHEN 21 THEN 'dead_letter' WHEN 30 THEN 'wave_sealed' WHEN 31 THEN 'operator'
        WHEN 32 THEN 'wave_dropped' ELSE 'kind ' || kind END $f$;

-- As before, but a row that repeats an id of its wave has a line of its own: rejected is what could not be read.
DROP FUNCTION ledger.coverage(text);
CREATE FUNCTION ledger.coverage(campaign text, OUT rows bigint, OUT reached bigint, OUT failed bigint,
    OUT unreachable bigint, OUT in_doubt bigint, OUT outstanding bigint, OUT repeated bigint, OUT rejected bigint)
LANGUAGE sql STABLE AS $f$
    SELECT coalesce(c.reached + c.failed + c.unreachable + c.in_doubt + c.outstanding, 0) + w.waiting + w.repeated
            + w.rejected,
        coalesce(c.reached, 0), coalesce(c.failed, 0), coalesce(c.unreachable, 0), coalesce(c.in_doubt, 0),
        coalesce(c.outstanding, 0) + w.waiting, w.repeated, w.rejected
    FROM (SELECT coalesce(sum(CASE WHEN sealed THEN greatest(t.rows - t.rejected - t.released - t.doubles, 0) END),
                          0)::bigint AS waiting,
              coalesce(sum(t.doubles), 0)::bigint AS repeated, coalesce(sum(t.rejected), 0)::bigint AS rejected
          FROM ledger.wave_totals t WHERE t.campaign = ledger.number_of(coverage.campaign)) w
    LEFT JOIN ledger.campaigns c ON c.id = coverage.campaign $f$;

-- Rows that repeat an id of their wave. own: the channels by which an address is told that stands in no earlier row.
CREATE FUNCTION ledger.repeated(campaign text) RETURNS TABLE (wave int, "row" bigint, recipient_ref bytea,
    sealed bytea, own text[]) LANGUAGE sql STABLE AS $f$
    SELECT r.wave, r.row, r.recipient_ref, r.sealed,
        ARRAY(SELECT DISTINCT ledger.channel_name(l.channel) FROM unnest(r.channels, r.roles) AS l(channel, role)
              WHERE l.role = 0 ORDER BY 1)
    FROM ledger.recipients r WHERE r.campaign = ledger.number_of(repeated.campaign) AND r.rejected
    ORDER BY r.wave, r.row $f$;

-- How often a message was sent again while it was in doubt: the campaign says how often its policy may.
CREATE FUNCTION ledger.resends(campaign text, message bytea) RETURNS bigint LANGUAGE sql STABLE AS $f$
    SELECT count(*) FROM ledger.events e WHERE e.campaign = ledger.number_of(resends.campaign)
        AND e.notification = message AND e.kind = 15 AND e.code <> 'semel:refused-late' $f$;
)";

// services/ledger/core/notification_state.cpp, facts_of_parts: receipts of the parts of one SMS count together.
constexpr const char* parts_of_messages = R"(
ALTER TABLE ledger.events ADD COLUMN parts int NOT NULL DEFAULT 0;

CREATE FUNCTION ledger.facts_of_parts(in_campaign int, of_message bytea) RETURNS smallint LANGUAGE sql STABLE AS $f$
    WITH mine AS (SELECT e.attempt, e.kind, e.receipt, e.gateway_message_id, e.parts FROM ledger.events e
                  WHERE e.campaign = in_campaign AND e.notification = of_message AND e.kind IN (10, 20)),
    sizes AS (  -- what older versions wrote names its parts by their ids alone
        SELECT attempt, max(greatest(parts, array_length(string_to_array(gateway_message_id, ','), 1), 1)) AS parts
        FROM mine WHERE kind = 10 GROUP BY 1),
    reported AS (
        SELECT attempt, gateway_message_id, bool_or(receipt IN (1, 3, 4)) AS delivered, bool_or(receipt = 2) AS bounced
        FROM mine WHERE kind = 20 GROUP BY 1, 2),
    attempts AS (
        SELECT r.attempt, count(*) FILTER (WHERE r.delivered) >= coalesce(max(s.parts), 1) AS delivered,
            bool_or(r.bounced AND NOT r.delivered) AS bounced
        FROM reported r LEFT JOIN sizes s USING (attempt) GROUP BY 1)
    SELECT ((CASE WHEN bool_or(delivered) THEN 2 ELSE 0 END) + (CASE WHEN bool_or(bounced) THEN 4 ELSE 0 END))::smallint
    FROM attempts $f$;

-- Facts are joined, but for those of an SMS that were counted anew over all its reports (64).
CREATE FUNCTION ledger.seen_after(before int, now int) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
    SELECT (CASE WHEN now & 64 <> 0 THEN before & ~6 | now ELSE before | now END)::smallint $f$;
)";

// What people did with a campaign: its own events, and those of its test messages.
constexpr const char* history = R"(
CREATE FUNCTION ledger.history(campaign text, tests bytea[]) RETURNS TABLE (time_us bigint, kind text, channel text,
    notification bytea, attempt int, gateway text, code text, text text, wave int, actor text)
LANGUAGE sql STABLE AS $f$
    SELECT e.time_us, ledger.kind_name(e.kind), ledger.channel_name(e.channel), e.notification, e.attempt, e.gateway,
        CASE WHEN e.kind = 20 THEN concat_ws(' ', ledger.receipt_name(e.receipt), nullif(e.code, '')) ELSE e.code END,
        e.text, e.wave, e.actor
    FROM (SELECT ''::bytea AS notification UNION ALL SELECT unnest(tests)) m
    JOIN ledger.events e ON e.campaign = ledger.number_of(history.campaign) AND e.notification = m.notification
    WHERE m.notification <> '' OR e.kind IN (30, 31, 32)
    ORDER BY e.time_us, e.kind, e.id $f$;
)";

// A campaign's partitions are made with their owner's rights, whoever asks: the ledger's own role may add events and
// neither change nor delete them, which an owner may. Partitions have the rights of their table.
constexpr const char* rights_of_partitions = R"(
CREATE FUNCTION ledger.share_rights(parent regclass, part regclass) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
    a record;
BEGIN
    FOR a IN SELECT x.grantee, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
             WHERE c.oid = parent AND x.grantee NOT IN (0, c.relowner) LOOP
        EXECUTE format('GRANT %s ON %s TO %s', a.privilege_type, part, a.grantee::regrole);
    END LOOP;
END $f$;

CREATE OR REPLACE FUNCTION ledger.make_campaign(name text) RETURNS int LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
    n int;
    key text;
    part text;
BEGIN
    n := ledger.number_of(name);
    IF n IS NOT NULL THEN
        RETURN n;
    END IF;
    -- Two ledgers that meet a campaign at once: the second waits here, and finds it.
    PERFORM pg_advisory_xact_lock(hashtextextended('semel.ledger.campaign', 0));
    SELECT number INTO n FROM ledger.campaigns WHERE id = name;
    IF n IS NOT NULL THEN
        RETURN n;
    END IF;
    INSERT INTO ledger.campaigns (id) VALUES (name) RETURNING number INTO n;
    FOR part, key IN VALUES ('events', 'notification, id'), ('recipients', 'recipient_ref, wave, row'),
                            ('persons', 'recipient_ref'), ('notifications', 'notification'),
                            ('shares', 'notification, recipient_ref') LOOP
        EXECUTE format('CREATE TABLE ledger.%1$s_%2$s (LIKE ledger.%1$s INCLUDING DEFAULTS, PRIMARY KEY (%3$s), '
                       'CONSTRAINT of_campaign CHECK (campaign = %2$s)) %4$s', part, n, key,
                       CASE WHEN part IN ('persons', 'notifications') THEN 'WITH (fillfactor = 70)' ELSE '' END);
        EXECUTE format('ALTER TABLE ledger.%1$s ATTACH PARTITION ledger.%1$s_%2$s FOR VALUES IN (%2$s)', part, n);
        PERFORM ledger.share_rights(format('ledger.%s', part)::regclass, format('ledger.%s_%s', part, n)::regclass);
    END LOOP;
    RETURN n;
END $f$;
)";

// Who looked at whom, appended by the api before it answers: `at` and `number` are PostgreSQL's own, and the api's role
// can neither give nor change nor delete them (deploy/postgres/rights.sql). In one table for all campaigns: what people
// look at in years is less than the messages of one campaign.
constexpr const char* lookups = R"(
CREATE TABLE ledger.lookups (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(), actor text NOT NULL, peer text NOT NULL, what text NOT NULL,
    campaign text NOT NULL, recipient_ref bytea NOT NULL, people bigint NOT NULL, reason text NOT NULL,
    case_number text NOT NULL);
CREATE INDEX lookups_of_campaign ON ledger.lookups (campaign, recipient_ref, number);
CREATE INDEX lookups_of_actor ON ledger.lookups (actor, number);

-- The latest first. Empty: of all campaigns, by everybody, of everybody; 0: from the latest.
CREATE FUNCTION ledger.lookups_before(of_campaign text, by_actor text, of_recipient bytea, before bigint, most bigint)
RETURNS SETOF ledger.lookups LANGUAGE sql STABLE AS $f$
    SELECT * FROM ledger.lookups l
    WHERE (of_campaign = '' OR l.campaign = of_campaign) AND (by_actor = '' OR l.actor = by_actor)
        AND (of_recipient = '' OR l.recipient_ref = of_recipient) AND (before = 0 OR l.number < before)
    ORDER BY l.number DESC LIMIT most $f$;
)";

// Who was let in, kept out, given rights and lost them: appended by the api, as lookups are. times: how many refusals
// an entry stands for, when there are too many to write each down.
constexpr const char* access_events = R"(
CREATE TABLE ledger.access_events (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(), actor text NOT NULL, peer text NOT NULL, what text NOT NULL,
    about text NOT NULL, text text NOT NULL, times bigint NOT NULL);
CREATE INDEX access_events_of_actor ON ledger.access_events (actor, number);
CREATE INDEX access_events_about ON ledger.access_events (about, number);

-- The latest first. Empty: of everybody; else by or about this user. 0: from the latest.
CREATE FUNCTION ledger.access_events_before(of_user text, before bigint, most bigint)
RETURNS SETOF ledger.access_events LANGUAGE sql STABLE AS $f$
    SELECT * FROM ledger.access_events e
    WHERE (of_user = '' OR e.actor = of_user OR e.about = of_user) AND (before = 0 OR e.number < before)
    ORDER BY e.number DESC LIMIT most $f$;
)";

// Campaigns that tell the people of others again. A person has another recipient_ref in each: persons.follows is the
// one of the first campaign that told it, and empty where this is the first.
constexpr const char* follow_ups = R"(
ALTER TABLE ledger.persons ADD COLUMN follows bytea NOT NULL DEFAULT '';

-- Every row with its person's line, and what became of its messages: "CHANNEL LINE NOTIFICATION" (numbers and hex),
-- between semicolons. Rows of a person follow one another. By the campaign's number, known when the query is planned:
-- whole tables are read in the order of their keys, and never sorted.
CREATE FUNCTION ledger.people(in_campaign int) RETURNS TABLE (recipient_ref bytea, wave int, line text, sealed bytea,
    links text) LANGUAGE sql STABLE AS $f$
    SELECT r.recipient_ref, r.wave, ledger.person_line(p.reached, p.in_doubt, p.outstanding, p.failed), r.sealed,
        coalesce((SELECT string_agg(concat_ws(' ', l.channel, coalesce(n.line, 0), encode(l.notification, 'hex')), ';'
                                    ORDER BY l.place)
                  FROM unnest(r.channels, r.notifications) WITH ORDINALITY AS l(channel, notification, place)
                  LEFT JOIN ledger.notifications n ON n.campaign = in_campaign AND n.notification = l.notification), '')
    FROM ledger.persons p
    JOIN ledger.recipients r ON r.campaign = in_campaign AND r.recipient_ref = p.recipient_ref
    WHERE p.campaign = in_campaign
    ORDER BY r.recipient_ref, r.wave, r.row $f$;

-- How many people how many of these campaigns have reached.
CREATE FUNCTION ledger.told(campaigns text[]) RETURNS TABLE (times bigint, people bigint) LANGUAGE sql STABLE AS $f$
    SELECT t.times, count(*)
    FROM (SELECT count(*) FILTER (WHERE p.reached > 0) AS times
          FROM ledger.persons p
          WHERE p.campaign = ANY (ARRAY(SELECT c.number FROM ledger.campaigns c WHERE c.id = ANY (campaigns)))
          GROUP BY coalesce(nullif(p.follows, ''), p.recipient_ref)) t
    GROUP BY t.times ORDER BY t.times $f$;
)";

} // namespace

void migrate(pqxx::connection& connection) {
    postgres::migrate(connection, "ledger",
                      {tables, meanings, answers, dropped_waves, repeated_rows, parts_of_messages, history,
                       rights_of_partitions, lookups, access_events, follow_ups});
}

} // namespace semel::ledger
