#pragma once
// Shared by the mains of services that decide by the time. They join their groups once it is certain and say so while
// it is not. When their host's clock stays wrong they start anew, so that hosts whose clock is right get the
// partitions.

#include <redis/client.hpp>
#include <runtime/serve.hpp>

#include <boost/asio/awaitable.hpp>
#include <ticks/clock.hpp>
#include <trouble/board.hpp>

namespace semel::ticks {

/// Runs the clock until the time is certain. False: asked to stop.
boost::asio::awaitable<bool> wait_for_the_time(runtime::context&, clock&, trouble::teller&);
/// Ends when the service is asked to stop, or its host's clock has been wrong for `wrong_for_long`.
boost::asio::awaitable<void> stop_or_wrong(runtime::context&, clock&);
/// Ready while Redis answers and the time is certain: without either nothing may be sent or released.
boost::asio::awaitable<void> tell_readiness(runtime::context&, const redis::client&, const clock&);
/// What the clock has to say, again and again.
boost::asio::awaitable<void> tell(const clock&, trouble::teller&);
/// Throws when it was the clock: the supervisor starts the process anew.
void expect_stopped(const runtime::context&, const clock&);

} // namespace semel::ticks
