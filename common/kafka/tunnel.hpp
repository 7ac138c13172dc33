#pragma once
// Internal: connections of librdkafka that we make and sign in ourselves.
//
// librdkafka before 2.6.1 says its nonce twice in SCRAM (its #4895). Kafka up to 3.9 overlooks that; Kafka 4 takes it
// for a wrong password. So where SCRAM is asked of such a librdkafka (Debian 12 has 2.0.2), it speaks plainly into one
// end of a socket pair, and a thread of ours carries the bytes between the other end and the broker, over TLS and
// signed in (raw_connection). Nothing is listened on: no other process can come in.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>

#include <librdkafka/rdkafka.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace semel::kafka {

/// What all clients of one cluster share, for ever: librdkafka's callbacks get it as their opaque.
struct shared_context {
    explicit shared_context(cluster which)
        : at(std::move(which)) {}

    const cluster at;
    std::mutex guard;                         // of all below: each broker has a thread of its own
    std::map<std::string, std::string> names; // "10.0.0.7:9092": the host that it was resolved from
    std::optional<base::fault> failure;       // of our last connection
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string words; // of librdkafka's last error
};
shared_context& context_of(const cluster&);

bool needs_tunnel(const cluster&) noexcept;
/// The configuration's opaque must be the cluster's context.
void connect_through_tunnels(rd_kafka_conf_t*);

} // namespace semel::kafka
