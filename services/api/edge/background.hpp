#pragma once
// What the api does besides answering requests: takes the services' feedback, finishes campaigns of which nothing is
// outstanding, and removes what is left of uploads that broke off. Its outbox has a publisher of its own.

#include <semel/v1/audience.pb.h>
#include <wire/topics.hpp>

#include <api/edge/services.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>

#include <pqxx/pqxx>

namespace semel::api {

// All run until cancelled and wait for a PostgreSQL that is away.

/// Import results, registrations and compiled notices become steps of campaigns.
struct feedback_source {
    std::string topic{wire::feedback};
    std::string group = "api";
};
boost::asio::awaitable<void> take_feedback(services&, feedback_source = {});
/// Looks once a second at the coverage of running campaigns.
boost::asio::awaitable<void> finish_campaigns(services&);

/// Uploads whose receiver, another process, is silent.
boost::asio::awaitable<void> sweep_uploads(services&);

/// One feedback as a step of its campaign; a repetition changes nothing.
void on_feedback(pqxx::work&, const v1::Feedback&);

} // namespace semel::api
