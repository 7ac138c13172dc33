#include "claims.hpp"

#include <failpoint/failpoint.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace semel::delivery {
namespace asio = boost::asio;
namespace {

constexpr std::size_t batch_limit = 256; // claims in one script: keeps Redis' single thread free for others

// An error's code is its first word only if more words follow: Redis puts ERR before one that stands alone.

// Compares owner and marker first: a zombie, or a Redis that forgot, must claim nothing.
// ARGV: owner, marker, then (key index, field, claim, "1" where it was asked for before)...; answers one 1 (ours now),
// 2 (ours before: the reply was lost) or 0 (claimed by somebody else, or for another record) each.
const redis::script take_script{R"(
local h = redis.call('HMGET', KEYS[1], 'owner', 'marker')
if h[1] ~= ARGV[1] or h[2] ~= ARGV[2] then return redis.error_reply('STALE another head stands here') end
local mine = 'c' .. ARGV[1] .. ':'
local out = {}
for i = 3, #ARGV, 4 do
  local key = KEYS[tonumber(ARGV[i])]
  if redis.call('HSETNX', key, ARGV[i + 1], ARGV[i + 2]) == 1 then out[#out + 1] = 1
  elseif ARGV[i + 3] == '1' and string.sub(redis.call('HGET', key, ARGV[i + 1]), 1, #mine) == mine then
    redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
    out[#out + 1] = 2
  else out[#out + 1] = 0 end
end
return out
)"};

// Only over a claim that is still ours. ARGV: (key index, field, claim, outcome)...
const redis::script note_script{R"(
for i = 1, #ARGV, 4 do
  local key = KEYS[tonumber(ARGV[i])]
  if redis.call('HGET', key, ARGV[i + 1]) == ARGV[i + 2] then redis.call('HSET', key, ARGV[i + 1], ARGV[i + 3]) end
end
return 1
)"};

// ARGV: owner, marker, then (key index, field)...; answers a claim or nil for each.
const redis::script look_up_script{R"(
local h = redis.call('HMGET', KEYS[1], 'owner', 'marker')
if h[1] ~= ARGV[1] or h[2] ~= ARGV[2] then return redis.error_reply('STALE another head stands here') end
local out = {}
for i = 3, #ARGV, 2 do out[#out + 1] = redis.call('HGET', KEYS[tonumber(ARGV[i])], ARGV[i + 1]) end
return out
)"};

// Never lowers an owner: a sleeper that wakes up must not undo its successor.
// ARGV: owner, fresh marker, run_id, replid, closing. Answers the five as they stood, or an empty list.
const redis::script raise_script{R"(
local h = redis.call('HMGET', KEYS[1], 'owner', 'marker', 'run_id', 'replid', 'closing')
if not h[1] then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'marker', ARGV[2], 'run_id', ARGV[3], 'replid', ARGV[4],
             'closing', ARGV[5])
  return {}
end
if tonumber(h[1]) > tonumber(ARGV[1]) then return redis.error_reply('NEWER owner stands here') end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return h
)"};

// ARGV: owner, marker, run_id, replid, closing, then (key index, field, value)...
const redis::script rebuild_script{R"(
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return redis.error_reply('NEWER owner stands here') end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'marker', ARGV[2], 'run_id', ARGV[3], 'replid', ARGV[4],
           'closing', ARGV[5])
for i = 6, #ARGV, 3 do redis.call('HSET', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
return 1
)"};

base::fault as_fault(const redis::reply& error) {
    if (error.error_code() == "NEWER") {
        return {base::fault::kind::permanent, "another process owns the partition now"};
    }
    if (error.error_code() == "STALE") {
        return {base::fault::kind::malformed, "the partition's head in Redis is not the one that was written"};
    }
    return {base::fault::kind::transient, "Redis answered " + error.text};
}

} // namespace

struct claims::impl : std::enable_shared_from_this<impl> {
    struct request {
        claim_ref ref;
        std::string claim;
        bool again;
        std::move_only_function<void(claim_answer)> done;
    };
    struct note {
        claim_ref ref;
        std::string claim;
        std::string outcome;
    };

    impl(asio::any_io_executor ex, redis::client& r, const kafka::topic_partition& at)
        : executor(std::move(ex))
        , redis(r)
        , tag(fmt::format("{{d:{}:{}}}", at.topic, at.partition)) {}

    asio::any_io_executor executor;
    redis::client& redis;
    std::string tag;
    delivery::head head;
    std::vector<request> waiting;
    std::vector<note> notes;
    bool taking = false;
    bool noting = false;
    std::optional<kafka::offset> dropped_below; // blocks, not offsets; nothing: not known

    std::string head_key() const { return tag + ":head"; }
    std::string block_key(kafka::offset at) const { return fmt::format("{}:c:{}", tag, at / block_size); }

    /// The index of the block's key in `keys`, added where it is missing. Lua counts from 1.
    std::string index_of(std::vector<std::string>& keys, kafka::offset at) const {
        auto key = block_key(at);
        // A batch touches few blocks, nearly always the last one.
        const auto found = std::find(keys.rbegin(), keys.rend(), key);
        if (found != keys.rend()) {
            return std::to_string(std::distance(found, keys.rend()));
        }
        keys.push_back(std::move(key));
        return std::to_string(keys.size());
    }

    asio::awaitable<void> take_all() {
        const auto self = shared_from_this();
        // Everything asked for in this turn of the executor travels together.
        co_await asio::post(executor, asio::use_awaitable);
        while (!waiting.empty()) {
            const auto count = std::min(waiting.size(), batch_limit);
            std::vector<request> batch{std::make_move_iterator(waiting.begin()),
                                       std::make_move_iterator(waiting.begin() + static_cast<std::ptrdiff_t>(count))};
            waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(count));
            std::vector<std::string> keys{head_key()};
            std::vector<std::string> args{std::to_string(head.owner), std::string{base::as_view(head.marker)}};
            for (auto& r : batch) {
                args.push_back(index_of(keys, r.ref.at));
                args.push_back(std::move(r.ref.field));
                args.push_back(std::move(r.claim));
                args.emplace_back(r.again ? "1" : "0");
            }
            SEMEL_FAILPOINT("delivery.claim.sent");
            // Another server, or one whose data hold a newer note: a claim made there before the new marker is
            // committed could be lost without anybody's knowledge.
            if (redis.identity() != head.server) {
                for (auto& r : batch) {
                    r.done(claim_answer::stale);
                }
                continue;
            }
            const auto answer = co_await redis.eval(take_script, std::move(keys), std::move(args));
            for (std::size_t i = 0; i < batch.size(); ++i) {
                batch[i].done(one_of(answer, i));
            }
            if (is_over(answer)) {
                break;
            }
        }
        taking = false;
    }

    /// The client is being destroyed: it must not be asked again.
    static bool is_over(const base::result<redis::reply>& answer) {
        return !answer && answer.error().what() == base::fault::kind::stopping;
    }

    static claim_answer one_of(const base::result<redis::reply>& answer, std::size_t i) {
        if (!answer) {
            return claim_answer::unreachable;
        }
        if (answer->is_error()) {
            return answer->error_code() == "STALE" ? claim_answer::stale : claim_answer::unreachable;
        }
        if (i >= answer->array.size()) {
            return claim_answer::unreachable;
        }
        return answer->array[i].integer == 0 ? claim_answer::taken : claim_answer::mine;
    }

    asio::awaitable<void> note_all() {
        const auto self = shared_from_this();
        co_await asio::post(executor, asio::use_awaitable);
        while (!notes.empty()) {
            auto batch = std::exchange(notes, {});
            std::vector<std::string> keys;
            std::vector<std::string> args;
            args.reserve(batch.size() * 4);
            for (auto& n : batch) {
                args.push_back(index_of(keys, n.ref.at));
                args.push_back(std::move(n.ref.field));
                args.push_back(std::move(n.claim));
                args.push_back(std::move(n.outcome));
            }
            // A lost note leaves a claim without outcome: doubt after a crash, never a second message.
            const auto answer = co_await redis.eval(note_script, std::move(keys), std::move(args));
            if (is_over(answer)) {
                break;
            }
            SEMEL_FAILPOINT("delivery.outcome.noted");
        }
        noting = false;
    }

    template <class Loop>
    void start(bool& running, Loop loop) {
        if (!running) {
            running = true;
            asio::co_spawn(executor, loop, asio::detached);
        }
    }
};

claims::claims(asio::any_io_executor ex, redis::client& redis, const kafka::topic_partition& at)
    : impl_(std::make_shared<impl>(std::move(ex), redis, at)) {}
claims::~claims() = default;

asio::awaitable<base::result<std::optional<head>>> claims::raise(std::uint64_t owner, marker fresh) {
    const auto self = impl_;
    const auto server = self->redis.identity();
    std::vector<std::string> keys{self->head_key()};
    std::vector<std::string> args{std::to_string(owner), std::string{base::as_view(fresh)}, server.run_id,
                                  server.master_replid, server.closing};
    const auto answer = co_await self->redis.eval(raise_script, std::move(keys), std::move(args));
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (answer->is_error()) {
        co_return base::failed(as_fault(*answer));
    }
    if (answer->array.size() < 5) {
        co_return std::optional<head>{};
    }
    head before;
    const auto& fields = answer->array;
    std::from_chars(fields[0].text.data(), fields[0].text.data() + fields[0].text.size(), before.owner);
    if (const auto bytes = base::as_array<16>(fields[1].text)) {
        before.marker = *bytes;
    }
    before.server = {.run_id = fields[2].text, .master_replid = fields[3].text, .closing = fields[4].text};
    co_return std::optional<head>{std::move(before)};
}

asio::awaitable<base::result<void>> claims::rebuild(const head& h,
                                                    std::vector<std::pair<claim_ref, std::string>> open) {
    const auto self = impl_;
    std::vector<std::string> keys{self->head_key()};
    std::vector<std::string> args{std::to_string(h.owner), std::string{base::as_view(h.marker)}, h.server.run_id,
                                  h.server.master_replid, h.server.closing};
    for (auto& [ref, value] : open) {
        args.push_back(self->index_of(keys, ref.at));
        args.push_back(std::move(ref.field));
        args.push_back(std::move(value));
    }
    const auto answer = co_await self->redis.eval(rebuild_script, std::move(keys), std::move(args));
    if (!answer) {
        co_return base::failed(answer.error());
    }
    if (answer->is_error()) {
        co_return base::failed(as_fault(*answer));
    }
    co_return base::result<void>{};
}

asio::awaitable<base::result<std::vector<std::optional<std::string>>>> claims::look_up(const head& h,
                                                                                       std::vector<claim_ref> refs) {
    const auto self = impl_;
    const auto owner = std::to_string(h.owner);
    const std::string mark{base::as_view(h.marker)};
    std::vector<std::optional<std::string>> found;
    found.reserve(refs.size());
    for (std::size_t i = 0; i < refs.size();) {
        std::vector<std::string> keys{self->head_key()};
        std::vector<std::string> args{owner, mark};
        for (const auto end = std::min(refs.size(), i + batch_limit); i < end; ++i) {
            args.push_back(self->index_of(keys, refs[i].at));
            args.push_back(std::move(refs[i].field));
        }
        const auto answer = co_await self->redis.eval(look_up_script, std::move(keys), std::move(args));
        if (!answer) {
            co_return base::failed(answer.error());
        }
        if (answer->is_error()) {
            co_return base::failed(as_fault(*answer));
        }
        for (const auto& value : answer->array) {
            found.push_back(value.type == redis::reply::kind::nil ? std::nullopt : std::optional{value.text});
        }
    }
    if (found.size() != refs.size()) {
        co_return base::failed(base::fault::kind::transient, "Redis answered fewer claims than were asked for");
    }
    co_return found;
}

void claims::use(const head& h) {
    impl_->head = h;
}

asio::awaitable<claim_answer> claims::take(claim_ref ref, std::string gateway, bool again) {
    auto* self = impl_.get();
    auto claim = encode_claim(self->head.owner, gateway, ref.parts);
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(claim_answer)>(
        [self](auto handler, claim_ref r, std::string c, bool asked) {
            auto executor = self->executor;
            self->waiting.push_back(
                {std::move(r), std::move(c), asked, [executor, h = std::move(handler)](claim_answer a) mutable {
                     asio::post(executor, [h = std::move(h), a]() mutable { std::move(h)(a); });
                 }});
            self->start(self->taking, [self] { return self->take_all(); });
        },
        asio::use_awaitable, std::move(ref), std::move(claim), again);
}

void claims::note(claim_ref ref, const claim_outcome& outcome) {
    auto* self = impl_.get();
    auto claim = encode_claim(self->head.owner, outcome.gateway, ref.parts);
    self->notes.push_back({std::move(ref), std::move(claim), encode(outcome)});
    self->start(self->noting, [self] { return self->note_all(); });
}

void claims::drop_below(kafka::offset next) {
    // The block of `next` stays even when nothing in it is reserved. Redis may carry this command out late, after its
    // connection was given up, and would then take claims away that were made since.
    const auto last = next / block_size;
    // After a take-over the first block that may exist is not known; an owner before us has dropped what it passed.
    const auto first = impl_->dropped_below.value_or(std::max<kafka::offset>(0, last - 64));
    std::vector<std::string> command{"UNLINK"};
    for (auto block = first; block < last; ++block) {
        command.push_back(impl_->block_key(block * block_size));
    }
    impl_->dropped_below = std::max(first, last);
    if (command.size() > 1) {
        asio::co_spawn(
            impl_->executor,
            [](std::shared_ptr<impl> self, std::vector<std::string> args, kafka::offset from) -> asio::awaitable<void> {
                const auto answer = co_await self->redis.command(std::move(args));
                if (!answer || answer->is_error()) {
                    self->dropped_below = std::min(*self->dropped_below, from); // again, with the next ones
                }
            }(impl_, std::move(command), first),
            asio::detached);
    }
}

} // namespace semel::delivery
