// A batch of rows, from `audience` to the commit.

#include "releaser_parts.hpp"

#include <base/time.hpp>
#include <failpoint/failpoint.hpp>
#include <telemetry/log.hpp>
#include <wire/events.hpp>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <iterator>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;
using clock = std::chrono::steady_clock;

namespace {

const v1::AudienceSpan& span_of(const v1::Wave& wave, std::int32_t partition) {
    return *std::ranges::find(wave.spans(), static_cast<std::uint32_t>(partition),
                              [](const v1::AudienceSpan& s) { return s.partition(); });
}

} // namespace

asio::awaitable<base::result<releaser::batch>> releaser::prepare(pass& p, std::size_t chunks) {
    batch b;
    if (chunks == 0) {
        co_return b;
    }
    b.chunks = co_await reader_.next(chunks);
    if (!p.todo.tells) {
        for (auto& c : b.chunks) {
            for (auto& person : c.people) {
                std::erase_if(person.places, [&](const place& at) { return !p.todo.on.contains(at.channel); });
            }
        }
    }
    if (auto decided = co_await decide_all(p, b); !decided) {
        co_return base::failed(decided.error());
    }
    SEMEL_FAILPOINT("plan.release.looked_up");
    co_return b;
}

asio::awaitable<base::result<void>> releaser::decide_all(pass& p, batch& b) {
    std::vector<crypto::hash128> ids;
    std::vector<crypto::hash128> keys;
    for (const auto& c : b.chunks) {
        for (const auto& person : c.people) {
            ids.push_back(person.id);
            std::ranges::transform(person.places, std::back_inserter(keys), &place::key);
        }
    }
    std::vector<entry> id_entries;
    if (p.todo.tells) {
        const auto shape = layout::of(p.wave.rows(), p.campaign->state.channels_size());
        auto found = co_await store_.look_up(p.session, p.wave.number(), shape, ids, p.required);
        if (!found) {
            co_return base::failed(found.error());
        }
        id_entries = std::move(*found);
    }
    const auto standings = co_await look_up(p, keys);
    if (!standings) {
        co_return base::failed(standings.error());
    }
    std::size_t i = 0;
    std::span<const standing> rest{*standings};
    for (const auto& c : b.chunks) {
        for (const auto& person : c.people) {
            // Whether a row repeats an id was said when it was told of.
            const auto id = p.todo.tells ? id_entries[i++] : entry{person.mine.row, 0};
            auto d = decide(person, id, rest.first(person.places.size()));
            rest = rest.subspan(person.places.size());
            if (!d) {
                telemetry::log().error(
                    "register.contradicts_audience",
                    {{"campaign", p.campaign->id.value()}, {"wave", p.wave.number()}, {"row", person.mine.row}});
                if (auto gone = co_await store_.condemn(p.session); !gone) {
                    co_return base::failed(gone.error());
                }
                co_return base::failed(
                    fault::kind::transient,
                    fmt::format("Redis has lost entries of row {}: the register is built anew", person.mine.row));
            }
            b.decisions.push_back(std::move(*d));
        }
    }
    co_return base::result<void>{};
}

/// How the addresses stand in this wave and in all before it.
asio::awaitable<base::result<std::vector<standing>>> releaser::look_up(const pass& p,
                                                                       const std::vector<crypto::hash128>& keys) {
    std::vector<standing> standings(keys.size());
    for (const auto& wave : p.campaign->state.waves()) {
        if (wave.number() > p.wave.number() || is_dropped(wave)) {
            continue;
        }
        const auto shape = layout::of(wave.rows(), p.campaign->state.channels_size());
        const auto found = co_await store_.look_up(p.session, wave.number(), shape, keys, p.required);
        if (!found) {
            co_return base::failed(found.error());
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (wave.number() == p.wave.number()) {
                standings[i].here = (*found)[i];
            } else {
                standings[i].told_earlier |= (*found)[i].row != 0;
                standings[i].told_segments |= (*found)[i].segments;
            }
        }
    }
    co_return standings;
}

asio::awaitable<base::result<void>> releaser::emit(pass& p, batch& b) {
    const auto begun = clock::now();
    output out;
    if (auto built = co_await build(p, b, out); !built) {
        co_return base::failed(built.error());
    }
    auto transaction = co_await group_.begin(p.mine);
    if (!transaction) {
        co_return base::failed(transaction.error());
    }
    co_await produce(*transaction, p, out);
    auto offsets = co_await produce_positions(*transaction, p, out);
    SEMEL_FAILPOINT("plan.release.produced");
    if (auto still = co_await store_.confirm(p.session); !still) {
        co_await transaction->abort();
        co_return base::failed(lost(still.error()));
    }
    SEMEL_FAILPOINT("plan.release.confirmed");
    const auto became = co_await transaction->commit(std::move(offsets));
    SEMEL_FAILPOINT("plan.release.committed");
    probe_.seconds.observe(std::chrono::duration<double>(clock::now() - begun).count());
    if (became != kafka::settled::committed) {
        probe_.failed_transactions.add();
        co_return base::failed(fault::kind::transient, "the transaction was not committed");
    }
    for (auto& [key, at] : out.moved) {
        positions_.insert_or_assign(key, std::move(at));
    }
    count(p, b, out);
    co_return base::result<void>{};
}

asio::awaitable<base::result<void>> releaser::build(const pass& p, batch& b, output& out) {
    const auto what = p.what();
    std::size_t i = 0;
    for (const auto& c : b.chunks) {
        out.next[c.partition] = c.offset + 1;
        if (!c.unreadable.empty() && p.todo.tells) {
            out.dead.emplace_back(fmt::format("audience partition {} offset {}", c.partition, c.offset), &c);
            out.records.events.push_back(
                p.messages.dead_letter(out.dead.back().first, c.unreadable, c.rows, time_().best));
        }
        for (std::size_t k = 0; k < c.people.size(); ++k) {
            const auto& recipient = c.content.recipients(static_cast<int>(k));
            const auto ok =
                p.messages.append(out.records, recipient, c.people[k], b.decisions[i++], what, time_().best);
            if (!ok) {
                co_return base::failed(ok.error());
            }
        }
        co_await asio::post(asio::use_awaitable); // the look-ups of the next batch want to be heard
    }
    co_return base::result<void>{};
}

asio::awaitable<void> releaser::produce(kafka::transaction& into, const pass& p, const output& out) {
    co_await produce(into, out.records);
    const kafka::topic_partition letters{place_.topic(wire::dead_letter), 0};
    for (const auto& [where, c] : out.dead) {
        telemetry::log().error("record.unusable",
                               {{"campaign", p.campaign->id.value()}, {"where", where}, {"why", c->unreadable}});
        co_await into.produce(letters, where + ": " + c->unreadable, c->raw);
    }
}

/// Where each partition stands afterwards, and the turns that are committed with it.
asio::awaitable<std::vector<kafka::commit>> releaser::produce_positions(kafka::transaction& into, const pass& p,
                                                                        output& out) {
    std::vector<kafka::commit> offsets;
    const auto channels = channels_of(p.campaign->state);
    for (const auto& [partition, next] : out.next) {
        const auto& span = span_of(p.wave, partition);
        const auto before = position_of(*p.campaign, p.wave, span);
        auto at = before;
        if (p.todo.tells) {
            at.tell(next, p.todo.on, channels);
        } else {
            for (const auto channel : p.todo.on) {
                at.catch_up(channel, next);
            }
        }
        const auto key = wire::release_progress_key(p.campaign->id, p.wave.number(), partition);
        const kafka::topic_partition to{place_.topic(wire::progress), wire::progress_partition(key, place_.partitions)};
        if (!at.same_gaps(before)) {
            v1::Progress gaps;
            at.write_gaps(gaps);
            const auto behind = wire::behind_progress_key(p.campaign->id, p.wave.number(), partition);
            const auto bytes = gaps.SerializeAsString();
            co_await into.produce(to, behind, bytes);
        }
        v1::Progress front;
        at.write_front(front, span.end_offset());
        front.set_turn(p.mine->next_turn(partition));
        const auto bytes = front.SerializeAsString();
        co_await into.produce(to, key, bytes);
        offsets.push_back(p.mine->turn(partition));
        out.moved.emplace(key, std::move(at));
    }
    co_return offsets;
}

void releaser::count(const pass& p, const batch& b, const output& out) {
    probe_.transactions.add();
    probe_.released.add(p.todo.tells ? static_cast<double>(b.decisions.size()) : 0);
    probe_.dead_letters.add(static_cast<double>(out.dead.size()));
    if (p.stance != stance::send) {
        return;
    }
    double whole = 0;
    for (const auto& [channel, n] : b.messages(p.todo.on)) {
        backlog_.released(channel, n);
        rooms_.at(channel).spend(p.campaign->id.value(), n);
        probe_.messages.at(channel).add(n);
        whole += n;
    }
    if (const auto own = allowances_.find(p.campaign->id.value()); own != allowances_.end()) {
        own->second.spend(whole);
    }
}

asio::awaitable<void> releaser::produce(kafka::transaction& into, const released& out) {
    for (const auto& m : out.messages) {
        kafka::topic_partition to{place_.topic(wire::dispatch(m.channel)),
                                  base::partition_of(base::as_view(m.notification), place_.partitions)};
        co_await into.produce(std::move(to), base::as_view(m.notification), m.dispatch);
    }
    wire::event_batches events{place_.partitions};
    for (const auto& e : out.events) {
        events.add(e);
    }
    for (const auto& [partition, value] : events.take()) {
        kafka::topic_partition to{place_.topic(wire::events), partition};
        co_await into.produce(std::move(to), {}, value);
    }
}

} // namespace semel::plan
