#pragma once
// Freezes audiences of follow-ups: reads whom another campaign told out of its ledger, in one PostgreSQL snapshot, and
// writes them as an upload of the follow-up, sealed under its own key. A process that dies in the middle leaves
// nothing; another, or the next, begins anew and looks at the ledger as it is then.

#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>

namespace semel::api {

/// Until cancelled: whatever shall be frozen, one after the other.
boost::asio::awaitable<void> freeze_audiences(services&);
/// The one that has waited longest; false when there is none.
boost::asio::awaitable<bool> freeze_next(services&);

} // namespace semel::api
