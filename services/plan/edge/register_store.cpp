#include "register_store.hpp"

#include "scripts.hpp"

#include <base/bytes.hpp>
#include <crypto/seal.hpp>
#include <redis/info.hpp>
#include <redis/refusal.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace semel::plan {

namespace asio = boost::asio;
using base::fault;

namespace {

// Entries of one script call: some 1 to 2 ms of Redis' time, so that others are not kept waiting.
constexpr std::size_t batch_size = 500;

// Buckets that go in one step: about a millisecond of Redis' time (5 us each, measured).
constexpr std::uint32_t removed_at_once = 200;
// In the place of the server's identity in a head: of no server, so the register under it is not usable.
constexpr std::string_view being_removed = "being removed";

using answer = base::result<redis::reply>;

/// Starts all calls before waiting for any: their commands leave in one pipeline.
asio::awaitable<std::vector<answer>> together(std::vector<asio::awaitable<answer>> calls) {
    const auto executor = co_await asio::this_coro::executor;
    const auto start = [&](asio::awaitable<answer>& call) {
        return asio::co_spawn(executor, std::move(call), asio::deferred);
    };
    std::vector<decltype(start(calls.front()))> started;
    started.reserve(calls.size());
    for (auto& call : calls) {
        started.push_back(start(call));
    }
    if (started.empty()) {
        co_return std::vector<answer>{};
    }
    auto group = asio::experimental::make_parallel_group(std::move(started));
    auto [order, failures, answers] =
        co_await group.async_wait(asio::experimental::wait_for_all{}, asio::use_awaitable);
    for (const auto& failure : failures) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    co_return std::move(answers);
}

/// A reply that is not an error, or the fault.
base::result<void> accepted(const answer& a) {
    if (!a) {
        return base::failed(a.error());
    }
    if (!a->is_error()) {
        return {};
    }
    const auto code = a->error_code();
    if (code == "STALE" || code == "INCOMPLETE") {
        return base::failed(fault::kind::transient, a->text);
    }
    // It cannot serve us as it stands: the next connection will tell.
    if (const auto why = redis::refusal(a->text)) {
        return base::failed(fault::kind::unreachable, "Redis: " + *why);
    }
    return base::failed(fault::kind::broken, "Redis refuses the register's script: " + a->text);
}

} // namespace

asio::awaitable<base::result<register_store::standing_head>> register_store::look(const base::campaign_id& campaign) {
    standing_head found;
    found.generation = redis_.generation();
    std::vector<std::string> info{"INFO"};
    std::vector<std::string> all{"HGETALL", address_register::head_key(campaign)};
    std::vector<asio::awaitable<answer>> calls;
    calls.push_back(redis_.command(std::move(info)));
    calls.push_back(redis_.command(std::move(all)));
    const auto answers = co_await together(std::move(calls));
    for (const auto& a : answers) {
        if (auto ok = accepted(a); !ok) {
            co_return base::failed(ok.error());
        }
    }
    if (redis_.generation() != found.generation) {
        co_return base::failed(fault::kind::unreachable, "the connection to Redis broke while the head was read");
    }
    const auto who = redis::identity_in(answers[0]->text);
    if (!who) {
        co_return base::failed(who.error().within("Redis"));
    }
    found.server = {who->run_id, who->master_replid};
    std::map<std::string, std::string> fields;
    const auto& flat = answers[1]->array;
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
        fields.emplace(flat[i].text, flat[i + 1].text);
    }
    found.head = head::from_fields(fields);
    co_return found;
}

asio::awaitable<base::result<std::string>> register_store::raise(const base::campaign_id& campaign,
                                                                 std::string old_marker, std::string on) {
    std::vector<std::string> keys{address_register::head_key(campaign)};
    std::vector<std::string> args{std::move(old_marker), base::to_hex(crypto::random_bytes(16)), std::move(on)};
    const auto wanted = args[1];
    const auto a = co_await redis_.eval(raise_head(), std::move(keys), std::move(args));
    if (auto ok = accepted(a); !ok) {
        co_return base::failed(ok.error());
    }
    co_return a->text == wanted ? wanted : std::string{};
}

asio::awaitable<base::result<session>> register_store::open(base::campaign_id campaign) {
    co_await redis_.connected();
    bool made = false;
    // Several rounds only when others replace the head at the same time.
    for (int round = 0; round < 5; ++round) {
        auto found = co_await look(campaign);
        if (!found) {
            co_return base::failed(found.error());
        }
        if (usable(found->head, found->server)) {
            co_return session{campaign, *found->head, found->generation, made};
        }
        const auto raised =
            co_await raise(campaign, found->head ? found->head->marker : std::string{}, to_string(found->server));
        if (!raised) {
            co_return base::failed(raised.error());
        }
        made = !raised->empty();
    }
    co_return base::failed(fault::kind::transient, "several processes replace the head of this register at once");
}

asio::awaitable<base::result<void>> register_store::confirm(const session& s) {
    const auto found = co_await look(s.campaign);
    if (!found) {
        co_return base::failed(found.error());
    }
    if (!usable(found->head, found->server) || found->head->marker != s.head.marker) {
        co_return base::failed(fault::kind::transient, "STALE the register was lost or made anew since it was asked");
    }
    co_return same_connection(s);
}

asio::awaitable<base::result<void>> register_store::condemn(const session& s) {
    const auto found = co_await look(s.campaign);
    if (!found) {
        co_return base::failed(found.error());
    }
    const auto raised = co_await raise(s.campaign, s.head.marker, to_string(found->server));
    if (!raised) {
        co_return base::failed(raised.error());
    }
    co_return base::result<void>{};
}

asio::awaitable<base::result<removal>> register_store::begin_removal(base::campaign_id campaign,
                                                                     std::vector<registered_wave> waves) {
    co_await redis_.connected();
    const auto found = co_await look(campaign);
    if (!found) {
        co_return base::failed(found.error());
    }
    removal r{.campaign = campaign, .marker = {}, .waves = std::move(waves)};
    if (!found->head) {
        co_return r;
    }
    r.marker = found->head->marker;
    if (found->head->server != being_removed) {
        auto raised = co_await raise(campaign, r.marker, std::string{being_removed});
        if (!raised) {
            co_return base::failed(raised.error());
        }
        if (raised->empty()) {
            co_return base::failed(fault::kind::transient, "another process replaced the head of this register");
        }
        r.marker = std::move(*raised);
    }
    co_return r;
}

asio::awaitable<base::result<bool>> register_store::remove_some(removal& r) {
    if (r.marker.empty()) {
        co_return false;
    }
    std::vector<std::string> keys{address_register::head_key(r.campaign)};
    std::vector<std::string> args{r.marker};
    if (r.waves.empty()) {
        const auto a = co_await redis_.eval(remove_head(), std::move(keys), std::move(args));
        if (auto ok = accepted(a); !ok) {
            co_return base::failed(ok.error());
        }
        r.marker.clear();
        co_return false;
    }
    const auto& wave = r.waves.back();
    const auto buckets = 1U << wave.shape.bits();
    const auto count = std::min(removed_at_once, buckets - r.bucket);
    args.push_back(layout::key_prefix(r.campaign, wave.number));
    args.push_back(fmt::format("{}", r.bucket));
    args.push_back(fmt::format("{}", count));
    const auto a = co_await redis_.eval(remove_buckets(), std::move(keys), std::move(args));
    if (auto ok = accepted(a); !ok) {
        co_return base::failed(ok.error());
    }
    r.bucket += count;
    if (r.bucket == buckets) {
        r.bucket = 0;
        r.waves.pop_back();
    }
    co_return true;
}

base::result<void> register_store::same_connection(const session& s) const {
    if (redis_.generation() != s.generation) {
        return base::failed(fault::kind::unreachable,
                            "the connection to Redis is another one: the server may have forgotten");
    }
    return {};
}

asio::awaitable<base::result<void>> register_store::put(const session& s, std::uint32_t wave, layout shape,
                                                        std::span<const keyed_entry> entries) {
    const auto prefix = layout::key_prefix(s.campaign, wave);
    const auto width = fmt::format("{}", shape.field_bytes());
    std::vector<asio::awaitable<answer>> calls;
    for (std::size_t from = 0; from < entries.size(); from += batch_size) {
        std::string batch;
        const auto part = entries.subspan(from, std::min(batch_size, entries.size() - from));
        batch.reserve(part.size() * (14 + shape.field_bytes()));
        for (const auto& e : part) {
            shape.append(batch, e.key, e.entry);
        }
        std::vector<std::string> keys{address_register::head_key(s.campaign)};
        std::vector<std::string> args{s.head.marker, prefix, width, std::move(batch)};
        calls.push_back(redis_.eval(register_entries(), std::move(keys), std::move(args)));
    }
    for (const auto& a : co_await together(std::move(calls))) {
        if (auto ok = accepted(a); !ok) {
            co_return ok;
        }
    }
    co_return same_connection(s);
}

asio::awaitable<base::result<void>> register_store::mark(const session& s, plan::mark finished) {
    auto [field, end] = address_register::to_field(finished);
    std::vector<std::string> keys{address_register::head_key(s.campaign)};
    std::vector<std::string> args{s.head.marker, std::move(field), std::move(end)};
    const auto a = co_await redis_.eval(mark_finished(), std::move(keys), std::move(args));
    if (auto ok = accepted(a); !ok) {
        co_return ok;
    }
    co_return same_connection(s);
}

asio::awaitable<base::result<std::vector<entry>>> register_store::look_up(const session& s, std::uint32_t wave,
                                                                          layout shape,
                                                                          std::span<const crypto::hash128> hashes,
                                                                          std::span<const plan::mark> required) {
    const auto prefix = layout::key_prefix(s.campaign, wave);
    const auto width = fmt::format("{}", shape.field_bytes());
    std::vector<asio::awaitable<answer>> calls;
    std::vector<std::size_t> sizes;
    for (std::size_t from = 0; from < hashes.size(); from += batch_size) {
        std::string batch;
        const auto part = hashes.subspan(from, std::min(batch_size, hashes.size() - from));
        for (const auto& hash : part) {
            shape.append(batch, hash);
        }
        sizes.push_back(part.size());
        std::vector<std::string> keys{address_register::head_key(s.campaign)};
        std::vector<std::string> args{s.head.marker, prefix, width, std::move(batch)};
        for (const auto& m : required) {
            auto [field, end] = address_register::to_field(m);
            args.push_back(std::move(field));
            args.push_back(std::move(end));
        }
        calls.push_back(redis_.eval(look_up_entries(), std::move(keys), std::move(args)));
    }
    std::vector<entry> all;
    all.reserve(hashes.size());
    const auto answers = co_await together(std::move(calls));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (auto ok = accepted(answers[i]); !ok) {
            co_return base::failed(ok.error());
        }
        const auto entries = parse_entries(answers[i]->text, sizes[i]);
        if (!entries) {
            co_return base::failed(entries.error());
        }
        all.insert(all.end(), entries->begin(), entries->end());
    }
    if (auto same = same_connection(s); !same) {
        co_return base::failed(same.error());
    }
    co_return all;
}

} // namespace semel::plan
