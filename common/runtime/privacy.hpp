#pragma once
// What a process that holds keys keeps to itself, and what it does without.

#include <string>

namespace semel::runtime {

/// Call first, before any key is read: no core file and no other process of the same user sees this one's memory, and
/// what it writes is for its own user. Throws std::system_error.
void keep_to_itself();

/// Call once the settings are read, before the first socket and thread. Does nothing where root did not start this
/// process. Otherwise it becomes `user`, with that user's groups; if that is empty it stays root and holds no
/// capability of root's: what belongs to others is closed to it. Ports below 1024 stay open to it in either case.
/// Neither can be taken back. Throws std::runtime_error when there is no such user, std::system_error when the kernel
/// refuses: then nothing must be served.
void give_up_root(const std::string& user);

} // namespace semel::runtime
