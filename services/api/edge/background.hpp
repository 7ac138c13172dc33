#pragma once
// What the api does besides answering requests: publishes its outbox, takes the services' feedback, and finishes
// campaigns of which nothing is outstanding.

#include <postgres/pool.hpp>
#include <runtime/serve.hpp>
#include <runtime/tasks.hpp>

#include <boost/asio/awaitable.hpp>

namespace semel::api {

/// Publishes the outbox in order, at least once. Runs until cancelled; `poke` saves the wait.
boost::asio::awaitable<void> publish_outbox(runtime::context&, postgres::pool&, runtime::signal& poke);
/// Group "api" over `feedback`: import results, registrations, compiled notices become steps of campaigns.
boost::asio::awaitable<void> take_feedback(runtime::context&, postgres::pool&, runtime::signal& poke);
/// Looks once a second at the coverage of running campaigns.
boost::asio::awaitable<void> finish_campaigns(runtime::context&, postgres::pool&, runtime::signal& poke);

} // namespace semel::api
