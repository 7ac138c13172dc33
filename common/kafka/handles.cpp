#include <kafka/handles.hpp>
#include <kafka/logging.hpp>
#include <kafka/tunnel.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <mutex>
#include <stdexcept>

namespace semel::kafka {
namespace {

struct sink {
    std::mutex guard;
    log_sink to;
};

sink& the_sink() {
    static auto& instance = *new sink; // for ever: a client may still log while the process exits
    return instance;
}

void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    log_line(level, fmt::format("{}: {}", facility, text));
}

} // namespace

void log_to(log_sink to) {
    auto& out = the_sink();
    const std::lock_guard lock{out.guard};
    out.to = std::move(to);
}

void log_line(int level, std::string_view line) {
    auto& out = the_sink();
    const std::lock_guard lock{out.guard};
    if (out.to) {
        out.to(level, fmt::format("kafka client, {}", line));
    } else if (level <= 4) {
        fmt::print(stderr, "kafka client, {}\n", line);
    }
}

conf_ptr make_conf(const cluster& at, std::initializer_list<setting> settings) {
    conf_ptr conf{rd_kafka_conf_new()};
    std::array<char, 512> why{};
    const auto set = [&](const char* name, const std::string& value) {
        if (rd_kafka_conf_set(conf.get(), name, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
            // librdkafka's words hold the value too.
            const bool secret = std::string_view{name} == "sasl.password";
            throw std::runtime_error{
                secret ? fmt::format("Kafka client: {} is refused", name)
                       : fmt::format("Kafka client: {} = {} is refused: {}", name, value, why.data())};
        }
    };
    const auto set_if = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            set(name, value);
        }
    };
    set("bootstrap.servers", at.servers);
    rd_kafka_conf_set_opaque(conf.get(), &context_of(at));
    if (needs_tunnel(at)) {
        connect_through_tunnels(conf.get());
    } else {
        set("security.protocol", std::string{at.protocol_name()});
        set_if("sasl.mechanisms", std::string{at.mechanism_name()});
        set_if("sasl.username", at.user);
        set_if("sasl.password", at.password);
        if (at.tls) {
            set("ssl.endpoint.identification.algorithm", "https"); // the broker's name too, not only who signed it
            set_if("ssl.ca.location", at.ca.string());
            set_if("ssl.certificate.location", at.certificate.string());
            set_if("ssl.key.location", at.key.string());
        }
    }
    set("client.id", "semel");
    // A broker that comes back is met within a second; the default backs off to ten.
    set("reconnect.backoff.max.ms", "1000");
    set("log.connection.close", "false");
    set("allow.auto.create.topics", "false");
    for (const auto& [name, value] : settings) {
        set(name, value);
    }
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    return conf;
}

client_ptr make_client(rd_kafka_type_t type, conf_ptr conf) {
    std::array<char, 512> why{};
    auto* client = rd_kafka_new(type, conf.get(), why.data(), why.size());
    if (client == nullptr) {
        throw std::runtime_error{fmt::format("Kafka client could not be made: {}", why.data())};
    }
    std::ignore = conf.release(); // the client has it now
    return {client, [](rd_kafka_t* c) { rd_kafka_destroy_flags(c, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }};
}

partitions_ptr make_list(std::span<const topic_partition> partitions) {
    partitions_ptr list{rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size()))};
    for (const auto& at : partitions) {
        rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
    }
    return list;
}

partitions_ptr make_list(std::span<const start> positions) {
    partitions_ptr list{rd_kafka_topic_partition_list_new(static_cast<int>(positions.size()))};
    for (const auto& position : positions) {
        if (position.next < 0) {
            // librdkafka would take it for a logical offset ("the end") and skip what lies between.
            throw std::logic_error{fmt::format("{}: {} is not an offset", name_of(position.at), position.next)};
        }
        rd_kafka_topic_partition_list_add(list.get(), position.at.topic.c_str(), position.at.partition)->offset =
            position.next;
    }
    return list;
}

std::string name_of(const topic_partition& at) {
    return fmt::format("{}/{}", at.topic, at.partition);
}

std::string text_of(rd_kafka_resp_err_t code) {
    return fmt::format("{} ({})", rd_kafka_err2str(code), rd_kafka_err2name(code));
}

std::string text_of(const rd_kafka_error_t* error) {
    return fmt::format("{} ({})", rd_kafka_error_string(error), rd_kafka_error_name(error));
}

bool passes_by_itself(rd_kafka_resp_err_t code) noexcept {
    switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
        return true;
    default:
        return false;
    }
}

} // namespace semel::kafka
