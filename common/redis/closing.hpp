#pragma once
// The note of an orderly end: proof that a Redis which starts again has lost nothing (docs/decisions/0012). Whoever
// stops Redis writes it when all that write have ended. A Redis that loads its file gets a beginning of what was
// written, never a selection: where the note is, everything before it is.

#include <redis/client.hpp>

#include <span>
#include <string>
#include <string_view>

namespace semel::redis {

inline constexpr std::string_view closings_key = "semel:closings"; // a list, the newest first
inline constexpr std::size_t closings_kept = 16;

std::string encode(const closing&);
/// Of something that is not a note: one that vouches for no server.
closing decode_closing(std::string_view) noexcept;

/// Whether the data that these notes (the newest first) came with hold all that was written under this identity: that
/// server ended in order afterwards.
bool vouch_for(std::span<const closing> notes, const server_identity& written_under) noexcept;

/// Writes the note, and in the same moment closes every other connection: one that lived on could write after the note
/// and not know of it. Who connects again sees the note, and with it another identity.
boost::asio::awaitable<base::result<void>> close_in_order(client&);

} // namespace semel::redis
