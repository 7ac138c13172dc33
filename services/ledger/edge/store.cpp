#include "store.hpp"

#include <failpoint/failpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::ledger {
namespace {

constexpr std::size_t numbers_kept = 10'000;

// Gone with the connection, emptied with the transaction. Nothing is indexed: a batch is read from end to end.
constexpr const char* staging = R"(
CREATE TEMP TABLE IF NOT EXISTS staged_events (LIKE ledger.events) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_recipients (LIKE ledger.recipients, follows bytea) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_messages (campaign int, notification bytea, channel smallint, progress int,
    seen smallint, carrier bytea, wave int, row bigint, stands boolean,
    parts_moved boolean) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_shares (campaign int, notification bytea, recipient_ref bytea)
    ON COMMIT DELETE ROWS;
)";

// A batch is small against a campaign, and there are no statistics of it: rows are to be found by their keys.
constexpr const char* manners = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; "
                                "SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; SET LOCAL work_mem = '32MB'";

// {0}: the campaign's number, here and below. An id that is stored changes nothing.
constexpr const char* add_events = R"(
WITH fresh AS (INSERT INTO ledger.events_{0} SELECT * FROM staged_events WHERE campaign = {0}
               ON CONFLICT DO NOTHING RETURNING kind),
     letters AS (SELECT count(*) AS n FROM fresh WHERE kind = 21)
UPDATE ledger.campaigns SET dead_letters = dead_letters + letters.n FROM letters WHERE number = {0} AND letters.n > 0)";

constexpr const char* add_seals = R"(
INSERT INTO ledger.wave_totals AS t (campaign, wave, sealed, rows, rejected)
SELECT DISTINCT ON (wave) {0}, wave, true, rows, rejected FROM staged_events WHERE campaign = {0} AND kind = 30
ORDER BY wave, rows DESC
ON CONFLICT (campaign, wave) DO UPDATE SET sealed = true, rows = greatest(t.rows, excluded.rows),
    rejected = greatest(t.rejected, excluded.rejected) WHERE NOT t.dropped)";

// Nobody was released of it: what is taken out are the rows that the seal announced, whichever of the two comes first.
constexpr const char* add_drops = R"(
INSERT INTO ledger.wave_totals AS t (campaign, wave, dropped)
SELECT DISTINCT {0}, wave, true FROM staged_events WHERE campaign = {0} AND kind = 32
ON CONFLICT (campaign, wave) DO UPDATE SET dropped = true, sealed = false, rows = 0, rejected = 0)";

constexpr const char* add_recipients = R"(
WITH fresh AS (INSERT INTO ledger.recipients_{0}
               SELECT campaign, recipient_ref, wave, row, id, time_us, rejected, sealed, channels, notifications, roles,
                   artifacts, supplements
               FROM staged_recipients WHERE campaign = {0}
               ON CONFLICT DO NOTHING RETURNING wave, rejected),
     counted AS (
        INSERT INTO ledger.wave_totals AS t (campaign, wave, released, doubles)
        SELECT {0}, wave, count(*) FILTER (WHERE NOT rejected), count(*) FILTER (WHERE rejected)
        FROM fresh GROUP BY wave
        ON CONFLICT (campaign, wave) DO UPDATE SET released = t.released + excluded.released,
            doubles = t.doubles + excluded.doubles),
     people AS (
        INSERT INTO ledger.persons_{0} (campaign, recipient_ref, follows)
        SELECT DISTINCT ON (recipient_ref) {0}, recipient_ref, follows FROM staged_recipients
        WHERE campaign = {0} AND NOT rejected ORDER BY recipient_ref, follows DESC
        ON CONFLICT DO NOTHING RETURNING 1)
UPDATE ledger.campaigns SET unreachable = unreachable + (SELECT count(*) FROM people) WHERE number = {0})";

// The tail of both statements that move people: `change` says by how many messages each person's counts differ.
constexpr const char* move_people = R"(
     moved AS (
        UPDATE ledger.persons_{0} p SET reached = p.reached + c.reached, in_doubt = p.in_doubt + c.in_doubt,
            outstanding = p.outstanding + c.outstanding, failed = p.failed + c.failed
        FROM (SELECT person, sum(reached) AS reached, sum(in_doubt) AS in_doubt, sum(outstanding) AS outstanding,
                  sum(failed) AS failed FROM change GROUP BY person) c
        WHERE p.recipient_ref = c.person
        RETURNING ledger.person_line((p.reached - c.reached)::int, (p.in_doubt - c.in_doubt)::int,
                                     (p.outstanding - c.outstanding)::int, (p.failed - c.failed)::int) AS before,
                  ledger.person_line(p.reached, p.in_doubt, p.outstanding, p.failed) AS after),
     lines AS (
        SELECT line, sum(n) AS n FROM (SELECT after, 1 FROM moved UNION ALL SELECT before, -1 FROM moved) m(line, n)
        GROUP BY line)
UPDATE ledger.campaigns SET
    reached = reached + coalesce((SELECT n FROM lines WHERE line = 'reached'), 0),
    in_doubt = in_doubt + coalesce((SELECT n FROM lines WHERE line = 'in_doubt'), 0),
    outstanding = outstanding + coalesce((SELECT n FROM lines WHERE line = 'outstanding'), 0),
    failed = failed + coalesce((SELECT n FROM lines WHERE line = 'failed'), 0),
    unreachable = unreachable + coalesce((SELECT n FROM lines WHERE line = 'unreachable'), 0)
WHERE number = {0})";

constexpr const char* forget_paces =
    "DELETE FROM ledger.paces WHERE campaign = {0} AND second < extract(epoch FROM now())::bigint - 60";

// facts_of_parts() of core/notification_state.hpp, over all that is stored of the messages in hand: a function of the
// set of events, so that their order cannot matter.
constexpr const char* count_parts = R"(
UPDATE staged_messages m SET seen = m.seen & ~6 | 64 | ledger.facts_of_parts({0}, m.notification)
WHERE m.campaign = {0} AND m.parts_moved)";

// merge() of core/notification_state.hpp: the larger progress, the union of what was seen. A row of a later wave may
// arrive before the row that carries its person's own message: it was taken for a covered one until then.
constexpr const char* move_messages = R"(
WITH up AS (
    INSERT INTO ledger.notifications_{0} AS n (campaign, notification, channel, progress, seen, line, carrier, wave,
        row, stands, was, was_seen, was_carried)
    SELECT {0}, notification, channel, progress, seen, ledger.line_of(progress, seen), nullif(carrier, ''), wave, row,
        stands, -1, 0, false
    FROM staged_messages WHERE campaign = {0}
    ON CONFLICT (notification) DO UPDATE SET was = n.line, was_seen = n.seen, was_carried = n.carrier IS NOT NULL,
        progress = greatest(n.progress, excluded.progress), seen = ledger.seen_after(n.seen, excluded.seen),
        line = ledger.line_of(greatest(n.progress, excluded.progress), ledger.seen_after(n.seen, excluded.seen)),
        carrier = coalesce(n.carrier, excluded.carrier),
        wave = CASE WHEN n.carrier IS NULL THEN excluded.wave ELSE n.wave END,
        row = CASE WHEN n.carrier IS NULL THEN excluded.row ELSE n.row END,
        stands = CASE WHEN n.carrier IS NULL THEN excluded.stands ELSE n.stands END
    WHERE excluded.progress > n.progress OR ledger.seen_after(n.seen, excluded.seen) <> n.seen
        OR n.carrier IS NULL AND excluded.carrier IS NOT NULL
    RETURNING notification, channel, line, seen, carrier, stands, was, was_seen, was_carried),
     reached_by AS (
        SELECT up.*, s.recipient_ref FROM up JOIN ledger.shares_{0} s ON s.notification = up.notification
        WHERE up.was <> -1),
     counted AS (
        INSERT INTO ledger.channel_totals AS t (campaign, channel, planned, covered, accepted, delivered, failed,
            unresolved, presumed_sent, resent, doubtful, retrying, fresh)
        SELECT {0}, channel, sum(now - before),
            -(SELECT count(*) FROM reached_by r WHERE r.channel = u.channel AND NOT r.was_carried
                AND r.carrier = r.recipient_ref),
            sum((line = 5)::int * now - (was = 5)::int * before),
            sum((seen & 2 <> 0)::int * now - (was_seen & 2 <> 0)::int * before),
            sum((line = 4)::int * now - (was = 4)::int * before), sum((line = 3)::int * now - (was = 3)::int * before),
            sum((line = 6)::int * now - (was = 6)::int * before),
            sum((seen & 16 <> 0)::int * now - (was_seen & 16 <> 0)::int * before),
            sum((line = 2)::int * now - (was = 2)::int * before), sum((line = 1)::int * now - (was = 1)::int * before),
            sum((line = 0)::int * now - (was = 0)::int * before)
        FROM (SELECT *, (carrier IS NOT NULL)::int AS now, was_carried::int AS before FROM up) u GROUP BY channel
        ON CONFLICT (campaign, channel) DO UPDATE SET planned = t.planned + excluded.planned,
            covered = t.covered + excluded.covered, accepted = t.accepted + excluded.accepted, delivered = t.delivered + excluded.delivered,
            failed = t.failed + excluded.failed, unresolved = t.unresolved + excluded.unresolved,
            presumed_sent = t.presumed_sent + excluded.presumed_sent, resent = t.resent + excluded.resent,
            doubtful = t.doubtful + excluded.doubtful, retrying = t.retrying + excluded.retrying,
            fresh = t.fresh + excluded.fresh),
     paced AS (
        INSERT INTO ledger.paces AS t (campaign, channel, second, accepted)
        SELECT {0}, channel, extract(epoch FROM now())::bigint, count(*) FROM up
        WHERE line = 5 AND was <> 5 GROUP BY channel
        ON CONFLICT (campaign, channel, second) DO UPDATE SET accepted = t.accepted + excluded.accepted),
     change AS (
        SELECT carrier AS person, (line = 5)::int - (was_carried AND was = 5)::int AS reached,
            (line IN (3, 6))::int - (was_carried AND was IN (3, 6))::int AS in_doubt,
            (line <= 2)::int - (was_carried AND was <= 2)::int AS outstanding,
            (line = 4)::int - (was_carried AND was = 4)::int AS failed
        FROM up WHERE carrier IS NOT NULL AND stands AND (line <> was OR NOT was_carried)
        UNION ALL
        SELECT recipient_ref, (line = 5)::int - (was = 5)::int, (line IN (3, 6))::int - (was IN (3, 6))::int,
            (line <= 2)::int - (was <= 2)::int, (line = 4)::int - (was = 4)::int
        FROM reached_by WHERE line <> was),)";

// After the messages: their lines are known now. A person's own message is not a covered one.
constexpr const char* add_shares = R"(
WITH fresh AS (
    INSERT INTO ledger.shares_{0} SELECT * FROM staged_shares WHERE campaign = {0}
    ON CONFLICT DO NOTHING RETURNING notification, recipient_ref),
     joined AS (
        SELECT f.recipient_ref, n.channel, n.line, n.carrier
        FROM fresh f JOIN ledger.notifications_{0} n ON n.notification = f.notification),
     counted AS (
        INSERT INTO ledger.channel_totals AS t (campaign, channel, covered)
        SELECT {0}, channel, count(*) FROM joined WHERE carrier IS DISTINCT FROM recipient_ref GROUP BY channel
        ON CONFLICT (campaign, channel) DO UPDATE SET covered = t.covered + excluded.covered),
     change AS (
        SELECT recipient_ref AS person, (line = 5)::int AS reached, (line IN (3, 6))::int AS in_doubt,
            (line <= 2)::int AS outstanding, (line = 4)::int AS failed FROM joined),)";

std::string bytea(std::string_view bytes) {
    return bytes.empty() ? std::string{} : "\\x" + base::to_hex(bytes);
}

/// PostgreSQL's text cannot hold a zero byte.
std::string clean(const std::string& text) {
    auto copy = text;
    std::erase(copy, '\0');
    return copy;
}

const char* boolean(bool b) {
    return b ? "t" : "f";
}

std::array<std::string, 21> row_of(const std::string& number, const v1::Event& e) {
    return {number,
            bytea(e.id()),
            std::to_string(e.kind()),
            std::to_string(e.time_us()),
            bytea(e.notification()),
            std::to_string(e.channel()),
            std::to_string(static_cast<std::int32_t>(e.attempt() & 0x7fffffffU)),
            clean(e.gateway()),
            clean(e.code()),
            clean(e.text()),
            clean(e.gateway_message_id()),
            bytea(e.content_sha256()),
            std::to_string(static_cast<std::int32_t>(e.wave() & 0x7fffffffU)),
            std::to_string(static_cast<std::int64_t>(e.row())),
            bytea(e.recipient_ref()),
            std::to_string(e.receipt()),
            clean(e.actor()),
            std::to_string(static_cast<std::int64_t>(e.rows())),
            std::to_string(static_cast<std::int64_t>(e.rejected())),
            boolean(e.test()),
            std::to_string(static_cast<std::int32_t>(e.parts() & 0xffffU))};
}

template <class F>
std::string array_of(const v1::Event& e, F value) {
    std::string out = "{";
    for (const auto& link : e.links()) {
        out += (out.size() > 1 ? "," : "") + value(link);
    }
    return out + "}";
}

std::string quoted_bytea(std::string_view bytes) {
    return bytes.empty() ? "\"\"" : "\"\\\\x" + base::to_hex(bytes) + "\"";
}

std::array<std::string, 14> row_of_recipient(const std::string& number, const v1::Event& e) {
    return {number,
            bytea(e.recipient_ref()),
            std::to_string(static_cast<std::int32_t>(e.wave() & 0x7fffffffU)),
            std::to_string(static_cast<std::int64_t>(e.row())),
            bytea(e.id()),
            std::to_string(e.time_us()),
            boolean(e.kind() == v1::EVENT_RECIPIENT_REPEATED),
            bytea(e.sealed()),
            array_of(e, [](const v1::Link& l) { return std::to_string(l.channel()); }),
            array_of(e, [](const v1::Link& l) { return quoted_bytea(l.notification()); }),
            array_of(e, [](const v1::Link& l) { return std::to_string(l.role()); }),
            array_of(e, [](const v1::Link& l) { return quoted_bytea(l.artifact()); }),
            array_of(e, [](const v1::Link& l) { return std::string{boolean(l.supplement())}; }),
            bytea(e.follows())};
}

std::array<std::string, 10> row_of(const std::string& number, const base::notification_id& id, const message& m) {
    const auto c = m.carrier.value_or(carrier{});
    return {number,
            bytea(base::as_view(id)),
            std::to_string(static_cast<int>(m.channel)),
            std::to_string(m.state.progress),
            std::to_string(m.state.seen),
            m.carrier ? bytea(base::as_view(c.person)) : std::string{},
            std::to_string(static_cast<std::int32_t>(c.wave & 0x7fffffffU)),
            std::to_string(static_cast<std::int64_t>(c.row)),
            boolean(c.stands),
            boolean(m.parts_moved)};
}

/// `write(stream, number, part)` for each campaign; one COPY for all of them.
template <class F>
void copy(pqxx::work& tx, const char* table, const batch& b, const std::map<std::string, int>& numbers, F write) {
    pqxx::stream_to stream{tx, table};
    for (const auto& [campaign, part] : b.campaigns()) {
        write(stream, std::to_string(numbers.at(campaign)), part);
    }
    stream.complete();
}

void stage(pqxx::work& tx, const batch& b, const std::map<std::string, int>& numbers) {
    copy(tx, "staged_events", b, numbers, [](auto& out, const auto& n, const auto& part) {
        for (const auto& e : part.events) {
            out << row_of(n, e);
        }
    });
    copy(tx, "staged_recipients", b, numbers, [](auto& out, const auto& n, const auto& part) {
        for (const auto& e : part.recipients) {
            out << row_of_recipient(n, e);
        }
    });
    copy(tx, "staged_messages", b, numbers, [](auto& out, const auto& n, const auto& part) {
        for (const auto& [id, m] : part.messages) {
            out << row_of(n, id, m);
        }
    });
    copy(tx, "staged_shares", b, numbers, [](auto& out, const auto& n, const auto& part) {
        for (const auto& [id, person] : part.shares) {
            out << std::array{n, bytea(base::as_view(id)), bytea(base::as_view(person))};
        }
    });
}

void fold(pqxx::work& tx, int number, const campaign_events& part) {
    // One ledger at a time writes a campaign: counts and links of a message never pass each other by.
    tx.exec(fmt::format("SELECT pg_advisory_xact_lock(hashtext('semel.ledger'), {})", number));
    if (!part.events.empty()) {
        tx.exec0(fmt::format(fmt::runtime(add_events), number));
        const auto has = [&](v1::EventKind kind) {
            return std::ranges::any_of(part.events, [kind](const auto& e) { return e.kind() == kind; });
        };
        if (has(v1::EVENT_WAVE_SEALED)) {
            tx.exec0(fmt::format(fmt::runtime(add_seals), number));
        }
        if (has(v1::EVENT_WAVE_DROPPED)) {
            tx.exec0(fmt::format(fmt::runtime(add_drops), number));
        }
    }
    if (!part.recipients.empty()) {
        tx.exec0(fmt::format(fmt::runtime(add_recipients), number));
    }
    if (!part.messages.empty()) {
        if (std::ranges::any_of(part.messages, [](const auto& m) { return m.second.parts_moved; })) {
            tx.exec0(fmt::format(fmt::runtime(count_parts), number));
        }
        tx.exec0(fmt::format(fmt::runtime(std::string{move_messages} + move_people), number));
        tx.exec0(fmt::format(fmt::runtime(forget_paces), number));
    }
    if (!part.shares.empty()) {
        tx.exec0(fmt::format(fmt::runtime(std::string{add_shares} + move_people), number));
    }
}

} // namespace

store::store(std::string topic)
    : topic_(std::move(topic)) {}

int store::number_of(pqxx::connection& connection, const std::string& campaign) {
    if (const auto known = numbers_.find(campaign); known != numbers_.end()) {
        return known->second;
    }
    // In a transaction of its own: others wait for new partitions no longer than it takes to make them.
    pqxx::work tx{connection};
    const auto number = tx.exec_params1("SELECT ledger.make_campaign($1)", campaign)[0].as<int>();
    tx.commit();
    if (numbers_.size() >= numbers_kept) {
        numbers_.clear();
    }
    return numbers_[campaign] = number;
}

written store::write(pqxx::connection& connection, const batch& b, const stretches& moves) {
    std::map<std::string, int> numbers;
    for (const auto& [campaign, part] : b.campaigns()) {
        numbers[campaign] = number_of(connection, campaign);
    }
    pqxx::work tx{connection};
    std::size_t done_before = 0;
    for (const auto& [partition, move] : moves) {
        // Waits for another ledger that moves it at the same time, and then sees where that one left it.
        const auto stored = tx.exec_params1("SELECT next FROM ledger.positions WHERE topic = $1 AND partition = $2 "
                                            "FOR UPDATE",
                                            topic_, partition)[0]
                                .as<kafka::offset>();
        if (stored == move.to) {
            ++done_before;
        } else if (stored != move.from) {
            return written::moved;
        }
        tx.exec_params0("UPDATE ledger.positions SET next = $3 WHERE topic = $1 AND partition = $2", topic_, partition,
                        move.to);
    }
    if (done_before != 0) {
        return done_before == moves.size() ? written::before : written::moved;
    }
    if (!b.empty()) {
        tx.exec0(staging);
        tx.exec0(manners);
        stage(tx, b, numbers);
        for (const auto& [campaign, number] : numbers) {
            fold(tx, number, b.campaigns().at(campaign));
        }
    }
    SEMEL_FAILPOINT("ledger.batch.folded");
    tx.commit();
    SEMEL_FAILPOINT("ledger.batch.committed");
    return written::now;
}

std::map<std::int32_t, kafka::offset> store::positions(pqxx::connection& connection,
                                                       const std::vector<std::int32_t>& partitions) {
    std::map<std::int32_t, kafka::offset> out;
    pqxx::work tx{connection};
    for (const auto partition : partitions) {
        tx.exec_params0("INSERT INTO ledger.positions VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", topic_, partition);
        out[partition] = tx.exec_params1("SELECT next FROM ledger.positions WHERE topic = $1 AND partition = $2",
                                         topic_, partition)[0]
                             .as<kafka::offset>();
    }
    tx.commit();
    return out;
}

} // namespace semel::ledger
