#pragma once
// What a process that holds keys keeps to itself.

namespace semel::runtime {

/// Call first, before any key is read: no core file and no other process of the same user sees this one's memory, and
/// what it writes is for its own user. Throws std::system_error.
void keep_to_itself();

} // namespace semel::runtime
