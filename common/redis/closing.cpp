#include "closing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <vector>

namespace semel::redis {

std::string encode(const closing& c) {
    return fmt::format("{} {} {}", c.run_id, c.master_replid, c.name);
}

closing decode_closing(std::string_view text) noexcept {
    const auto first = text.find(' ');
    const auto second = first == std::string_view::npos ? first : text.find(' ', first + 1);
    if (second == std::string_view::npos) {
        return {.run_id = {}, .master_replid = {}, .name = std::string{text}};
    }
    return {.run_id = std::string{text.substr(0, first)},
            .master_replid = std::string{text.substr(first + 1, second - first - 1)},
            .name = std::string{text.substr(second + 1)}};
}

bool vouch_for(std::span<const closing> notes, const server_identity& written_under) noexcept {
    for (const auto& note : notes) {
        if (note.name == written_under.closing) {
            return false; // this one and those before it are older than what was written
        }
        if (note.run_id == written_under.run_id && note.master_replid == written_under.master_replid) {
            return true;
        }
    }
    return false;
}

boost::asio::awaitable<base::result<void>> close_in_order(client& redis) {
    std::random_device random;
    const auto& self = redis.identity();
    const closing note{.run_id = self.run_id,
                       .master_replid = self.master_replid,
                       .name = fmt::format("{:08x}{:08x}", random(), random())};
    const std::string key{closings_key};
    const std::vector<std::vector<std::string>> transaction{
        {"MULTI"},
        {"CLIENT", "KILL", "TYPE", "normal"},
        {"LPUSH", key, encode(note)},
        {"LTRIM", key, "0", std::to_string(closings_kept - 1)},
        {"EXEC"},
    };
    for (const auto& words : transaction) {
        auto command = words;
        const auto answer = co_await redis.command(std::move(command));
        if (!answer) {
            co_return base::failed(answer.error());
        }
        const auto refused = [](const reply& r) { return r.is_error(); };
        if (answer->is_error() || std::ranges::any_of(answer->array, refused)) {
            co_return base::failed(base::fault::kind::broken,
                                   fmt::format("Redis refuses the note of its orderly end ({}: {}). Nothing is lost by "
                                               "that; its next start only cannot prove that it has forgotten nothing",
                                               words.front(),
                                               answer->is_error() ? answer->text : "a command of it failed"));
        }
    }
    co_return base::result<void>{};
}

} // namespace semel::redis
