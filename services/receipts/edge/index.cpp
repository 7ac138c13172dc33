#include "index.hpp"

#include <base/bytes.hpp>

#include <correlation/message_id.hpp>
#include <correlation/number_hash.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace semel::receipts {

namespace asio = boost::asio;

namespace {

constexpr std::int64_t prune_batch = 5'000; // rows that one statement deletes: others do not wait for it

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

std::string array_of_texts(const std::vector<std::string>& texts) {
    array all;
    for (const auto& t : texts) {
        all.add_text(t);
    }
    return all.str();
}

/// Only message centres spell one id in two ways.
std::vector<std::string> forms_of(const v1::GatewayReceipt& r) {
    return r.channel() == v1::CHANNEL_SMS ? correlation::id_alternatives(r.message_id()) : std::vector<std::string>{};
}

std::string plain_of(const v1::Event& e, const std::string& id) {
    return e.kind() == v1::EVENT_ACCEPTED && e.channel() == v1::CHANNEL_SMS ? correlation::plain_id(id) : std::string{};
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

void learn(pqxx::connection& c, std::vector<index::told>& learned) {
    // In one order for all: two processes that write the same rows must not wait for each other.
    std::ranges::sort(learned, {}, [](const index::told& t) {
        return std::tuple{std::string_view{t.event.notification()}, t.event.attempt(),
                          static_cast<int>(t.event.kind())};
    });
    array notification, attempt, what, gateway, message, campaign, channel, test, at, plain, number, part, parts;
    for (const auto& [e, its_number] : learned) {
        const auto ids = ids_of(e);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto& id = ids[i];
            plain.add_text(plain_of(e, id));
            number.add_bytes(correlation::tail_of(its_number));
            part.add(static_cast<std::int64_t>(i + 1));
            parts.add(std::max(std::int64_t{e.parts()}, static_cast<std::int64_t>(ids.size())));
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
    tx.exec_params(
        "INSERT INTO receipts.known (notification, attempt, what, gateway, message_id, campaign, channel, "
        "test, at_us, plain, number, part, parts) SELECT * FROM unnest($1::bytea[], $2::int[], $3::smallint[], "
        "$4::text[], $5::text[], $6::text[], $7::smallint[], $8::boolean[], $9::bigint[], $10::text[], "
        "$11::bytea[], $12::int[], $13::int[]) ON CONFLICT DO NOTHING",
        notification.str(), attempt.str(), what.str(), gateway.str(), message.str(), campaign.str(), channel.str(),
        test.str(), at.str(), plain.str(), number.str(), part.str(), parts.str());
    tx.commit();
}

subject subject_of(const pqxx::row& row) {
    return {.notification = bytes_of(row["notification"]),
            .attempt = row["attempt"].as<std::uint32_t>(),
            .campaign = row["campaign"].as<std::string>(),
            .channel = static_cast<v1::Channel>(row["channel"].as<int>()),
            .test = row["test"].as<bool>()};
}

/// Says which part a report is of, and names the message as its acceptance did: reports of one part in two spellings
/// are of one part.
void name(v1::GatewayReceipt& r, const pqxx::row& row) {
    if (const auto known = row["known_as"].as<std::string>(); !known.empty() && known != r.message_id()) {
        r.set_text(fmt::format("{}{}reported as {}", r.text(), r.text().empty() ? "" : "; ", r.message_id()));
        r.set_message_id(known);
    }
    if (const auto parts = row["parts"].as<int>(); parts > 1) {
        r.set_text(
            fmt::format("part {} of {}{}{}", row["part"].as<int>(), parts, r.text().empty() ? "" : "; ", r.text()));
    }
}

index::match orphan_of(const pqxx::row& row) {
    index::match m;
    if (!m.receipt.ParseFromString(bytes_of(row["receipt"]))) {
        throw std::runtime_error{"receipts.orphan holds a receipt that does not parse; restore it from a backup"};
    }
    m.about = subject_of(row);
    m.orphan = row["id"].as<std::int64_t>();
    name(m.receipt, row);
    return m;
}

/// Orphans explained by what was just learned.
void join_orphans(pqxx::connection& c, const std::vector<index::told>& learned, std::vector<index::match>& out) {
    array notification, prefix, gateway, message, plain, campaign, channel, test;
    bool any = false;
    for (const auto& [e, its_number] : learned) {
        if (e.kind() != v1::EVENT_ACCEPTED) {
            continue;
        }
        for (const auto& id : ids_of(e)) {
            any = true;
            notification.add_bytes(e.notification());
            prefix.add_bytes(prefix_of(e.notification()));
            gateway.add_text(e.gateway());
            message.add_text(id);
            plain.add_text(plain_of(e, id));
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
        "WITH l AS (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], "
        "$7::smallint[], $8::boolean[]) AS l(notification, prefix, gateway, message_id, plain, campaign, channel, "
        "test)), "
        "named AS (SELECT o.id FROM l JOIN receipts.orphan o ON o.gateway = l.gateway AND o.message_id = l.message_id "
        "WHERE l.message_id <> '' "
        // OFFSET 0: by the index, form after form. Joined, every form would be held against every orphaned report.
        "UNION SELECT o.id FROM l CROSS JOIN LATERAL (SELECT id, gateway FROM receipts.orphan "
        "WHERE forms @> ARRAY[l.plain] OFFSET 0) o WHERE l.plain <> '' AND o.gateway = l.gateway) "
        "SELECT k.*, o.id, o.receipt FROM named JOIN receipts.orphan o USING (id) CROSS JOIN LATERAL "
        "receipts.meant(o.gateway, o.message_id, o.forms, o.number, o.reference, o.waits) k "
        "UNION SELECT l.notification, 0, l.campaign, l.channel, l.test, '', 0, 0, o.id, o.receipt FROM l "
        "JOIN receipts.orphan o ON o.named = l.prefix AND o.named <> ''",
        notification.str(), prefix.str(), gateway.str(), message.str(), plain.str(), campaign.str(), channel.str(),
        test.str());
    for (const auto& row : rows) {
        out.push_back(orphan_of(row));
    }
}

/// Matches of the receipts that are known; returns the others.
std::vector<v1::GatewayReceipt> look_up(pqxx::connection& c, std::vector<v1::GatewayReceipt> receipts,
                                        std::vector<index::match>& out) {
    array gateway, message, low, high, forms, number, reference;
    for (const auto& r : receipts) {
        gateway.add_text(r.gateway());
        message.add_text(r.message_id());
        const auto named = prefix_of(r.notification());
        low.add_bytes(named);
        high.add_bytes(std::string{named} + std::string(17, '\xff'));
        forms.add_text(array_of_texts(forms_of(r)));
        number.add_bytes(correlation::tail_of(r.destination_hash()));
        reference.add(std::int64_t{r.user_message_reference()});
    }
    pqxx::nontransaction tx{c};
    const auto rows = tx.exec_params(
        "SELECT i.n, k.* FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::bytea[], "
        "$7::int[]) WITH ORDINALITY AS i(gateway, message_id, low, high, forms, number, reference, n) "
        "CROSS JOIN LATERAL ("
        "(SELECT m.*, 1 AS rank FROM receipts.meant(i.gateway, i.message_id, i.forms::text[], i.number, i.reference, "
        "true) m) UNION ALL "
        "(SELECT notification, 0, campaign, channel, test, '', 0, 0, 2 FROM receipts.known WHERE i.low <> '' AND "
        "notification >= i.low AND notification <= i.high LIMIT 1) UNION ALL "
        "(SELECT notification, 0, campaign, channel, test, '', 0, 0, 3 FROM receipts.open_doubt WHERE i.low <> '' AND "
        "notification >= i.low AND notification <= i.high LIMIT 1) ORDER BY rank LIMIT 1) k ORDER BY i.n",
        gateway.str(), message.str(), low.str(), high.str(), forms.str(), number.str(), reference.str());
    std::vector<bool> found(receipts.size());
    for (const auto& row : rows) {
        const auto n = row["n"].as<std::size_t>() - 1;
        found[n] = true;
        auto& m = out.emplace_back(index::match{.receipt = receipts[n], .about = subject_of(row), .orphan = 0});
        name(m.receipt, row);
    }
    std::vector<v1::GatewayReceipt> missing;
    for (std::size_t n = 0; n < receipts.size(); ++n) {
        if (!found[n]) {
            missing.push_back(std::move(receipts[n]));
        }
    }
    return missing;
}

void keep_orphans(pqxx::connection& c, const std::vector<v1::GatewayReceipt>& receipts,
                  const std::set<std::string, std::less<>>& exclusive, base::timestamp now) {
    array gateway, message, state, code, named, destination, reference, at, raw, forms, number, inferable;
    for (const auto& r : receipts) {
        gateway.add_text(r.gateway());
        message.add_text(r.message_id());
        state.add(std::int64_t{r.state()});
        code.add_text(r.code());
        named.add_bytes(prefix_of(r.notification()));
        destination.add_bytes(correlation::whole_of(r.destination_hash()));
        reference.add(std::int64_t{r.user_message_reference()});
        at.add(r.time_us() == 0 ? base::to_us(now) : r.time_us());
        raw.add_bytes(r.SerializeAsString());
        forms.add_text(array_of_texts(forms_of(r)));
        number.add_bytes(correlation::tail_of(r.destination_hash()));
        inferable.add(exclusive.contains(r.gateway()));
    }
    pqxx::work tx{c};
    // One that comes again later counts once more; the same record, read again after a crash, does not.
    tx.exec_params("INSERT INTO receipts.orphan AS o (gateway, message_id, state, code, named, destination_hash, "
                   "reference, at_us, parked_us, receipt, forms, number, inferable, times, last_us) "
                   "SELECT DISTINCT ON (g, m, s, c, n) g, m, s, c, n, d, f, a, $13::bigint, r, w::text[], t, i, "
                   "count(*) OVER same, max(a) OVER same FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], "
                   "$5::bytea[], $6::bytea[], $7::int[], $8::bigint[], $9::bytea[], $10::text[], $11::bytea[], "
                   "$12::boolean[]) AS x(g, m, s, c, n, d, f, a, r, w, t, i) WINDOW same AS (PARTITION BY g, m, s, c, "
                   "n) ORDER BY g, m, s, c, n, a ON CONFLICT (gateway, message_id, state, code, named) DO UPDATE SET "
                   "times = o.times + excluded.times, last_us = excluded.last_us "
                   "WHERE excluded.last_us > greatest(o.last_us, o.at_us)",
                   gateway.str(), message.str(), state.str(), code.str(), named.str(), destination.str(),
                   reference.str(), at.str(), raw.str(), forms.str(), number.str(), inferable.str(), base::to_us(now));
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

asio::awaitable<index::answer> index::exchange(question asked, base::timestamp now) {
    auto work = [asked = std::move(asked), exclusive = exclusive_, now](pqxx::connection& c) mutable {
        answer out;
        if (!asked.learned.empty()) {
            learn(c, asked.learned);
            join_orphans(c, asked.learned, out.matches);
        }
        if (!asked.receipts.empty()) {
            auto missing = look_up(c, std::move(asked.receipts), out.matches);
            if (!missing.empty()) {
                keep_orphans(c, missing, exclusive, now);
                // Its message may have become known between the two.
                missing = look_up(c, std::move(missing), out.matches);
                out.orphaned = missing.size();
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

asio::awaitable<std::vector<index::match>> index::match_doubts(std::vector<std::int32_t> partitions,
                                                               base::timestamp orphaned_before) {
    auto work = [partitions = std::move(partitions), orphaned_before](pqxx::connection& c) {
        pqxx::nontransaction tx{c};
        std::vector<match> out;
        for (const auto& row :
             tx.exec_params("SELECT o.id, o.receipt, d.notification, d.attempt, d.campaign, d.channel, d.test, "
                            "'' AS known_as, 0 AS part, 0 AS parts, true AS inferred "
                            "FROM receipts.fits($1) f JOIN receipts.orphan o ON o.id = f.orphan "
                            "JOIN receipts.open_doubt d ON d.notification = f.notification "
                            "WHERE f.candidates = 1 AND o.named = '' AND d.partition = ANY($2::int[]) UNION ALL "
                            "SELECT o.id, o.receipt, d.notification, 0, d.campaign, d.channel, d.test, '', 0, 0, false "
                            "FROM receipts.orphan o JOIN receipts.open_doubt d "
                            "ON substr(d.notification, 1, 16) = o.named "
                            "WHERE o.named <> '' AND d.partition = ANY($2::int[])",
                            base::to_us(orphaned_before), partition_array(partitions))) {
            out.emplace_back(orphan_of(row)).inferred = row["inferred"].as<bool>();
        }
        return out;
    };
    co_return co_await db_.run(std::move(work));
}

asio::awaitable<std::vector<index::match>> index::match_unconfirmed(base::timestamp orphaned_before) {
    auto work = [orphaned_before](pqxx::connection& c) {
        pqxx::work tx{c};
        std::vector<match> out;
        array tried;
        for (const auto& row : tx.exec_params("SELECT o.id, o.receipt, k.* FROM (SELECT * FROM receipts.orphan WHERE "
                                              "waits AND parked_us <= $1 ORDER BY parked_us LIMIT 1000) o LEFT JOIN "
                                              "LATERAL receipts.meant(o.gateway, o.message_id, o.forms, o.number, "
                                              "o.reference, false) k ON true",
                                              base::to_us(orphaned_before))) {
            if (row["notification"].is_null()) {
                tried.add(row["id"].as<std::int64_t>());
            } else {
                out.push_back(orphan_of(row)); // tried again until it is said
            }
        }
        tx.exec_params("UPDATE receipts.orphan SET waits = false WHERE id = ANY($1::bigint[])", tried.str());
        tx.commit();
        return out;
    };
    co_return co_await db_.run(std::move(work));
}

asio::awaitable<void> index::tell_progress(reading here) {
    auto work = [here = std::move(here)](pqxx::connection& c) {
        array topic, partition, next;
        for (const auto& [at, read] : here) {
            topic.add_text(at.topic);
            partition.add(std::int64_t{at.partition});
            next.add(read);
        }
        pqxx::work tx{c};
        tx.exec_params("INSERT INTO receipts.progress AS p (topic, partition, next) SELECT * FROM unnest($1::text[], "
                       "$2::int[], $3::bigint[]) AS x(t, n, o) ORDER BY t, n ON CONFLICT (topic, partition) DO UPDATE "
                       "SET next = excluded.next WHERE p.next < excluded.next",
                       topic.str(), partition.str(), next.str());
        tx.commit();
    };
    co_await db_.run(std::move(work));
}

asio::awaitable<reading> index::progress() {
    auto work = [](pqxx::connection& c) {
        pqxx::nontransaction tx{c};
        reading out;
        for (const auto& row : tx.exec("SELECT topic, partition, next FROM receipts.progress")) {
            out[{row[0].as<std::string>(), row[1].as<std::int32_t>()}] = row[2].as<kafka::offset>();
        }
        return out;
    };
    co_return co_await db_.run(std::move(work));
}

asio::awaitable<index::pruned> index::prune(base::timestamp orphans_before, base::timestamp known_before,
                                            std::size_t most_orphans) {
    auto work = [=](pqxx::connection& c) {
        pqxx::work tx{c};
        const auto known = tx.exec_params("DELETE FROM receipts.known WHERE ctid = ANY(ARRAY(SELECT ctid FROM "
                                          "receipts.known WHERE at_us < $1 LIMIT $2))",
                                          base::to_us(known_before), prune_batch);
        const auto old = tx.exec_params("DELETE FROM receipts.orphan WHERE id = ANY(ARRAY(SELECT id FROM "
                                        "receipts.orphan WHERE parked_us < $1 ORDER BY parked_us LIMIT $2))",
                                        base::to_us(orphans_before), prune_batch);
        auto left = tx.exec1("SELECT count(*) FROM receipts.orphan")[0].as<std::int64_t>();
        const auto over = std::clamp(left - static_cast<std::int64_t>(most_orphans), std::int64_t{0}, prune_batch);
        tx.exec_params("DELETE FROM receipts.orphan WHERE id = ANY(ARRAY(SELECT id FROM receipts.orphan ORDER BY "
                       "parked_us LIMIT $1))",
                       over);
        tx.commit();
        left -= over;
        return pruned{.orphans = left,
                      .more = known.affected_rows() == prune_batch || old.affected_rows() == prune_batch ||
                              over == prune_batch};
    };
    co_return co_await db_.run(std::move(work));
}

} // namespace semel::receipts
