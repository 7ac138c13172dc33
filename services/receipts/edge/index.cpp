#include "index.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::receipts {

namespace asio = boost::asio;

namespace {

/// An array literal of PostgreSQL, to send many rows in one statement.
class array {
  public:
    void add(std::int64_t n) { append(std::to_string(n)); }
    void add(bool b) { append(b ? "t" : "f"); }
    void add_bytes(std::string_view bytes) { append("\"\\\\x" + base::to_hex(bytes) + "\""); }
    void add_text(std::string_view text) {
        std::string quoted = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                quoted += '\\';
            }
            quoted += c;
        }
        append(quoted + "\"");
    }
    std::string str() const { return "{" + items_ + "}"; }

  private:
    void append(std::string_view item) {
        if (!items_.empty()) {
            items_ += ',';
        }
        items_ += item;
    }
    std::string items_;
};

std::string bytes_of(const pqxx::field& f) {
    return f.is_null() ? std::string{} : pqxx::binarystring{f}.str();
}

std::string_view prefix_of(std::string_view notification) {
    return notification.substr(0, 16);
}

std::vector<std::string> ids_of(const v1::Event& e) {
    // A message of several parts has an id for each, and each is reported on.
    std::vector<std::string> ids;
    std::string_view rest = e.gateway_message_id();
    if (e.kind() == v1::EVENT_ACCEPTED && e.channel() == v1::CHANNEL_SMS) {
        for (auto comma = rest.find(','); comma != std::string_view::npos; comma = rest.find(',')) {
            ids.emplace_back(rest.substr(0, comma));
            rest.remove_prefix(comma + 1);
        }
    }
    ids.emplace_back(rest);
    for (auto& id : ids) {
        if (id.size() > 500 || id.find('\0') != std::string::npos) {
            id.clear(); // no receipt that we take can name it
        }
    }
    return ids;
}

void learn(pqxx::connection& c, std::vector<v1::Event>& learned) {
    // In one order for all: two processes that write the same rows must not wait for each other.
    std::ranges::sort(learned, {}, [](const v1::Event& e) {
        return std::tuple{std::string_view{e.notification()}, e.attempt(), static_cast<int>(e.kind())};
    });
    array notification, attempt, what, gateway, message, campaign, channel, test, at;
    for (const auto& e : learned) {
        for (const auto& id : ids_of(e)) {
            notification.add_bytes(e.notification());
            attempt.add(std::int64_t{e.attempt()});
            what.add(std::int64_t{e.kind()});
            gateway.add_text(e.gateway());
            message.add_text(id);
            campaign.add_text(e.campaign_id());
            channel.add(std::int64_t{e.channel()});
            test.add(e.test());
            at.add(e.time_us());
        }
    }
    pqxx::work tx{c};
    tx.exec_params("INSERT INTO receipts.known (notification, attempt, what, gateway, message_id, campaign, channel, "
                   "test, at_us) SELECT * FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::text[], $5::text[], "
                   "$6::text[], $7::smallint[], $8::boolean[], $9::bigint[]) ON CONFLICT DO NOTHING",
                   notification.str(), attempt.str(), what.str(), gateway.str(), message.str(), campaign.str(),
                   channel.str(), test.str(), at.str());
    tx.commit();
}

subject subject_of(const pqxx::row& row) {
    return {.notification = bytes_of(row["notification"]),
            .attempt = row["attempt"].as<std::uint32_t>(),
            .campaign = row["campaign"].as<std::string>(),
            .channel = static_cast<v1::Channel>(row["channel"].as<int>()),
            .test = row["test"].as<bool>()};
}

index::match orphan_of(const pqxx::row& row) {
    index::match m;
    if (!m.receipt.ParseFromString(bytes_of(row["receipt"]))) {
        throw std::runtime_error{"receipts.orphan holds a receipt that does not parse; restore it from a backup"};
    }
    m.about = subject_of(row);
    m.orphan = row["id"].as<std::int64_t>();
    return m;
}

/// Orphans that what was just learned explains.
void join_orphans(pqxx::connection& c, const std::vector<v1::Event>& learned, std::vector<index::match>& out) {
    array notification, gateway, message, attempt, campaign, channel, test, prefix;
    bool any = false;
    for (const auto& e : learned) {
        if (e.kind() != v1::EVENT_ACCEPTED) {
            continue;
        }
        for (const auto& id : ids_of(e)) {
            any = true;
            notification.add_bytes(e.notification());
            prefix.add_bytes(prefix_of(e.notification()));
            gateway.add_text(e.gateway());
            message.add_text(id);
            attempt.add(std::int64_t{e.attempt()});
            campaign.add_text(e.campaign_id());
            channel.add(std::int64_t{e.channel()});
            test.add(e.test());
        }
    }
    if (!any) {
        return;
    }
    pqxx::nontransaction tx{c};
    const auto rows = tx.exec_params(
        "WITH l AS (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::int[], $6::text[], "
        "$7::smallint[], $8::boolean[]) AS l(notification, prefix, gateway, message_id, attempt, campaign, channel, "
        "test)) "
        "SELECT l.*, o.id, o.receipt FROM l JOIN receipts.orphan o ON o.gateway = l.gateway AND o.message_id = "
        "l.message_id AND l.message_id <> '' "
        "UNION SELECT l.*, o.id, o.receipt FROM l JOIN receipts.orphan o ON o.named = l.prefix AND o.named <> ''",
        notification.str(), prefix.str(), gateway.str(), message.str(), attempt.str(), campaign.str(), channel.str(),
        test.str());
    for (const auto& row : rows) {
        out.push_back(orphan_of(row));
    }
}

/// Matches of the receipts that are known; returns the others.
std::vector<v1::GatewayReceipt> look_up(pqxx::connection& c, std::vector<v1::GatewayReceipt> receipts,
                                        std::vector<index::match>& out) {
    array gateway, message, low, high;
    for (const auto& r : receipts) {
        gateway.add_text(r.gateway());
        message.add_text(r.message_id());
        const auto named = prefix_of(r.notification());
        low.add_bytes(named);
        high.add_bytes(std::string{named} + std::string(17, '\xff'));
    }
    pqxx::nontransaction tx{c};
    // A message centre may use an id again after a year: the latest message that had it is meant.
    const auto rows = tx.exec_params(
        "SELECT i.n, k.* FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) WITH ORDINALITY AS "
        "i(gateway, message_id, low, high, n) CROSS JOIN LATERAL ("
        "(SELECT notification, attempt, campaign, channel, test, at_us, 1 AS rank FROM receipts.known WHERE gateway = "
        "i.gateway AND message_id = i.message_id AND message_id <> '' ORDER BY at_us DESC LIMIT 1) UNION ALL "
        "(SELECT notification, 0, campaign, channel, test, at_us, 2 FROM receipts.known WHERE i.low <> '' AND "
        "notification >= i.low AND notification <= i.high LIMIT 1) UNION ALL "
        "(SELECT notification, 0, campaign, channel, test, since_us, 3 FROM receipts.open_doubt WHERE i.low <> '' AND "
        "notification >= i.low AND notification <= i.high LIMIT 1) ORDER BY rank LIMIT 1) k ORDER BY i.n",
        gateway.str(), message.str(), low.str(), high.str());
    std::vector<bool> found(receipts.size());
    for (const auto& row : rows) {
        const auto n = row["n"].as<std::size_t>() - 1;
        found[n] = true;
        out.push_back({.receipt = receipts[n], .about = subject_of(row), .orphan = 0});
    }
    std::vector<v1::GatewayReceipt> missing;
    for (std::size_t n = 0; n < receipts.size(); ++n) {
        if (!found[n]) {
            missing.push_back(std::move(receipts[n]));
        }
    }
    return missing;
}

void park(pqxx::connection& c, const std::vector<v1::GatewayReceipt>& receipts, base::timestamp now) {
    array gateway, message, state, code, named, destination, reference, at, raw;
    for (const auto& r : receipts) {
        gateway.add_text(r.gateway());
        message.add_text(r.message_id());
        state.add(std::int64_t{r.state()});
        code.add_text(r.code());
        named.add_bytes(prefix_of(r.notification()));
        destination.add_bytes(r.destination_hash());
        reference.add(std::int64_t{r.user_message_reference()});
        at.add(r.time_us() == 0 ? base::to_us(now) : r.time_us());
        raw.add_bytes(r.SerializeAsString());
    }
    pqxx::work tx{c};
    tx.exec_params("INSERT INTO receipts.orphan (gateway, message_id, state, code, named, destination_hash, reference, "
                   "at_us, parked_us, receipt) SELECT g, m, s, c, n, d, f, a, $10::bigint, r FROM unnest($1::text[], "
                   "$2::text[], $3::int[], $4::text[], $5::bytea[], $6::bytea[], $7::int[], $8::bigint[], "
                   "$9::bytea[]) AS x(g, m, s, c, n, d, f, a, r) ORDER BY g, m, s, c, n ON CONFLICT DO NOTHING",
                   gateway.str(), message.str(), state.str(), code.str(), named.str(), destination.str(),
                   reference.str(), at.str(), raw.str(), base::to_us(now));
    tx.commit();
}

void read_histories(pqxx::connection& c, const std::vector<base::notification_id>& wanted,
                    std::unordered_map<base::notification_id, history>& out) {
    array ids;
    for (const auto& id : wanted) {
        ids.add_bytes(base::as_view(id));
    }
    pqxx::nontransaction tx{c};
    for (const auto& row : tx.exec_params("SELECT notification, what, attempt FROM receipts.known WHERE notification "
                                          "= ANY($1::bytea[])",
                                          ids.str())) {
        if (const auto id = base::from_bytes<base::notification_id>(bytes_of(row[0]))) {
            remember(out[*id], static_cast<v1::EventKind>(row[1].as<int>()), row[2].as<std::uint32_t>());
        }
    }
}

void insert_candidates(pqxx::transaction_base& tx, const std::vector<index::candidate>& all) {
    array notification, partition, campaign, channel, attempt, test, gateway, destination, reference, since;
    for (const auto& c : all) {
        notification.add_bytes(c.notification);
        partition.add(std::int64_t{c.partition});
        campaign.add_text(c.about.campaign);
        channel.add(std::int64_t{c.about.channel});
        attempt.add(std::int64_t{c.about.attempt});
        test.add(c.about.test);
        gateway.add_text(c.gateway);
        destination.add_bytes(c.destination_hash);
        reference.add(std::int64_t{c.reference});
        since.add(c.since_us);
    }
    tx.exec_params("INSERT INTO receipts.open_doubt AS d (notification, partition, campaign, channel, attempt, test, "
                   "gateway, destination_hash, reference, since_us) SELECT * FROM unnest($1::bytea[], $2::int[], "
                   "$3::text[], $4::smallint[], $5::int[], $6::boolean[], $7::text[], $8::bytea[], $9::int[], "
                   "$10::bigint[]) AS x(n) ORDER BY n ON CONFLICT (notification) DO UPDATE SET attempt = "
                   "excluded.attempt, gateway = excluded.gateway, destination_hash = excluded.destination_hash, "
                   "since_us = excluded.since_us",
                   notification.str(), partition.str(), campaign.str(), channel.str(), attempt.str(), test.str(),
                   gateway.str(), destination.str(), reference.str(), since.str());
}

std::string partition_array(const std::vector<std::int32_t>& partitions) {
    array all;
    for (const auto p : partitions) {
        all.add(std::int64_t{p});
    }
    return all.str();
}

} // namespace

void index::migrate(pqxx::connection& connection) {
    postgres::migrate(connection, "receipts",
                      {R"(
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
)",
                       R"(
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
)",
                       R"(
-- A receipt that a crash left parked after its message had become known is evidence for no other message.
CREATE OR REPLACE FUNCTION receipts.may_mean(o receipts.orphan, d receipts.open_doubt) RETURNS boolean LANGUAGE sql STABLE AS
    $f$ SELECT (d.gateway = '' OR d.gateway = o.gateway) AND (o.reference = 0 OR o.reference = d.reference)
            AND o.at_us >= d.since_us - 600000000
            AND NOT EXISTS (SELECT 1 FROM receipts.known k WHERE o.message_id <> '' AND k.gateway = o.gateway
                            AND k.message_id = o.message_id AND k.notification <> d.notification) $f$;
)"});
}

asio::awaitable<index::answer> index::exchange(question asked, base::timestamp now) {
    auto work = [asked = std::move(asked), now](pqxx::connection& c) mutable {
        answer out;
        if (!asked.learned.empty()) {
            learn(c, asked.learned);
            join_orphans(c, asked.learned, out.matches);
        }
        if (!asked.receipts.empty()) {
            auto missing = look_up(c, std::move(asked.receipts), out.matches);
            if (!missing.empty()) {
                park(c, missing, now);
                // Its message may have become known between the two.
                missing = look_up(c, std::move(missing), out.matches);
                out.parked = missing.size();
            }
        }
        if (!asked.histories_of.empty()) {
            read_histories(c, asked.histories_of, out.histories);
        }
        return out;
    };
    co_return co_await db_.run(std::move(work));
}

asio::awaitable<void> index::replace(std::vector<std::int32_t> partitions, std::vector<candidate> open) {
    auto work = [partitions = std::move(partitions), open = std::move(open)](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec_params("DELETE FROM receipts.open_doubt WHERE partition = ANY($1::int[])", partition_array(partitions));
        insert_candidates(tx, open);
        tx.commit();
    };
    co_await db_.run(std::move(work));
}

asio::awaitable<void> index::put(std::vector<candidate> changed) {
    auto work = [changed = std::move(changed)](pqxx::connection& c) {
        pqxx::work tx{c};
        insert_candidates(tx, changed);
        tx.commit();
    };
    co_await db_.run(std::move(work));
}

asio::awaitable<void> index::forget(std::vector<std::string> notifications, std::vector<std::int64_t> orphans) {
    auto work = [notifications = std::move(notifications), orphans = std::move(orphans)](pqxx::connection& c) {
        array ids, rows;
        for (const auto& n : notifications) {
            ids.add_bytes(n);
        }
        for (const auto id : orphans) {
            rows.add(id);
        }
        pqxx::work tx{c};
        tx.exec_params("DELETE FROM receipts.open_doubt WHERE notification = ANY($1::bytea[])", ids.str());
        tx.exec_params("DELETE FROM receipts.orphan WHERE id = ANY($1::bigint[])", rows.str());
        tx.commit();
    };
    co_await db_.run(std::move(work));
}

asio::awaitable<std::vector<index::match>> index::infer(std::vector<std::int32_t> partitions,
                                                        base::timestamp parked_before) {
    auto work = [partitions = std::move(partitions), parked_before](pqxx::connection& c) {
        pqxx::nontransaction tx{c};
        std::vector<match> out;
        for (const auto& row :
             tx.exec_params("SELECT o.id, o.receipt, d.notification, d.attempt, d.campaign, d.channel, d.test "
                            "FROM receipts.fits($1) f JOIN receipts.orphan o ON o.id = f.orphan "
                            "JOIN receipts.open_doubt d ON d.notification = f.notification "
                            "WHERE f.candidates = 1 AND d.partition = ANY($2::int[])",
                            base::to_us(parked_before), partition_array(partitions))) {
            out.push_back(orphan_of(row));
        }
        return out;
    };
    co_return co_await db_.run(std::move(work));
}

asio::awaitable<std::int64_t> index::prune(base::timestamp orphans_before, base::timestamp known_before) {
    auto work = [orphans_before, known_before](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec_params("DELETE FROM receipts.orphan WHERE parked_us < $1", base::to_us(orphans_before));
        tx.exec_params("DELETE FROM receipts.known WHERE at_us < $1", base::to_us(known_before));
        const auto left = tx.exec1("SELECT count(*) FROM receipts.orphan")[0].as<std::int64_t>();
        tx.commit();
        return left;
    };
    co_return co_await db_.run(std::move(work));
}

} // namespace semel::receipts
