#pragma once
// What the api's handlers and background work share.

#include <base/known_time.hpp>
#include <config/config.hpp>
#include <crypto/key_ring.hpp>
#include <postgres/pool.hpp>
#include <redis/client.hpp>
#include <runtime/condition.hpp>

#include <api/core/denial_record.hpp>
#include <api/core/denials.hpp>
#include <api/core/long_reads.hpp>
#include <api/core/sign_on.hpp>
#include <api/edge/topic_sizes.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <string>

namespace semel::api {

/// Lives as long as everything that is given it.
struct services {
    boost::asio::any_io_executor executor;
    const config::settings& config;
    std::string instance; // of this process: "api"
    postgres::pool& db;
    // Of their own, because an emergency does not wait for reports: who asks and may they, and campaigns' steps.
    postgres::pool& steps;
    postgres::pool& lists;          // what takes as long as a campaign has people
    redis::client& redis;           // read only, and never waited for: the api works without it
    runtime::condition& outbox;     // notify after a transaction that wrote to it
    boost::asio::thread_pool& disk; // for writes that may block: the end of a large upload takes seconds
    crypto::key_ring keys;
    topic_sizes topics;
    base::time_source time; // on the executor only
    long_reads reads = {};
    denials turned_away = {};
    denial_record refused_strangers = {}; // apart: a flood of strangers hides no user's refusal
    denial_record refused_users = {};
    sign_on::patience sign_on_patience = {};
};

} // namespace semel::api
