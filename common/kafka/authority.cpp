#include "authority.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <stdexcept>
#include <tuple>

namespace semel::kafka {
namespace {

constexpr const char* mac_header = "semel-mac";

struct holder {
    std::mutex guard;
    std::shared_ptr<const authority> held;
};

holder& the_holder() {
    static auto& instance = *new holder; // for ever: clients outlive static objects
    return instance;
}

/// What a MAC is taken over. An absent value (a tombstone) differs from an empty one.
struct fields {
    fields(const topic_partition& at, std::string_view k, std::string_view v, bool tombstone)
        : topic(at.topic)
        , partition(std::to_string(at.partition))
        , key(k)
        , kind(tombstone ? "tombstone" : "value")
        , value(v) {}
    std::string_view topic;
    std::string partition;
    std::string_view key, kind, value;

    std::string mac(const crypto::key_ring& keys) const {
        return keys.mac(topic, {topic, partition, key, kind, value});
    }
    crypto::key_ring::authenticity verify(const crypto::key_ring& keys, std::string_view mac) const {
        return keys.verify(topic, {topic, partition, key, kind, value}, mac);
    }
};

} // namespace

rd_kafka_resp_err_t authority::produce(rd_kafka_t* client, rd_kafka_topic_t* topic, const topic_partition& to,
                                       std::string_view key, const char* value, std::size_t size, void* opaque) const {
    const auto mac =
        fields{to, key, value == nullptr ? std::string_view{} : std::string_view{value, size}, value == nullptr}.mac(
            keys_);
    // Ours until they are taken: its own, of VTYPE_HEADER, librdkafka frees twice (#4627) where the partition is not
    // there or not to be written to.
    handle<rd_kafka_headers_t, rd_kafka_headers_destroy> headers{rd_kafka_headers_new(1)};
    const auto size_of_mac = static_cast<ssize_t>(mac.size());
    if (const auto code = rd_kafka_header_add(headers.get(), mac_header, -1, mac.data(), size_of_mac)) {
        return code;
    }
    std::array<rd_kafka_vu_t, 7> words{};
    words[0].vtype = RD_KAFKA_VTYPE_RKT;
    words[0].u.rkt = topic;
    words[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    words[1].u.i32 = to.partition;
    words[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    words[2].u.i = RD_KAFKA_MSG_F_COPY;
    words[3].vtype = RD_KAFKA_VTYPE_KEY;
    words[3].u.mem = {const_cast<char*>(key.data()), key.size()}; // only read
    words[4].vtype = RD_KAFKA_VTYPE_VALUE;
    words[4].u.mem = {const_cast<char*>(value), size};
    words[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    words[5].u.headers = headers.get();
    words[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
    words[6].u.ptr = opaque;
    if (const error_ptr error{rd_kafka_produceva(client, words.data(), words.size())}) {
        return rd_kafka_error_code(error.get());
    }
    std::ignore = headers.release();
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool authority::believes(const record& r) const {
    const auto mac = r.header(mac_header);
    if (!mac) {
        if (const auto end = before_.find(r.at()); end != before_.end() && r.offset() < end->second) {
            return true;
        }
        refuse(r, "it carries no MAC: something other than this installation wrote it");
        return false;
    }
    const fields what{r.at(), r.key(), r.value(), r.is_tombstone()};
    switch (what.verify(keys_, *mac)) {
    case crypto::key_ring::authenticity::genuine:
        return true;
    case crypto::key_ring::authenticity::unknown_key:
        refuse(r, fmt::format("its MAC is under key {}, which is not in the list of keys",
                              base::to_hex(mac->substr(1, sizeof(crypto::key_id)))));
        return false;
    case crypto::key_ring::authenticity::forged:
        break;
    }
    refuse(r, "its MAC is wrong: it was forged, changed, or copied from another place");
    return false;
}

void authority::refuse(const record& r, std::string_view why) const {
    if (sink_) {
        sink_({.at = r.at(), .offset = r.offset(), .key = r.key(), .value = r.value(), .why = why});
    }
}

std::shared_ptr<const authority> present_authority() {
    auto& here = the_holder();
    const std::lock_guard lock{here.guard};
    if (!here.held) {
        throw std::logic_error{"a Kafka client is made before kafka::trust() was given keys"};
    }
    return here.held;
}

base::result<unsigned_ends> parse_ends(std::string_view text) {
    unsigned_ends all;
    const auto number = [](std::string_view digits, auto& out) {
        const auto* end = digits.data() + digits.size();
        return std::from_chars(digits.data(), end, out) == std::from_chars_result{end, std::errc{}} && out >= 0;
    };
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto second = line.rfind(':');
        const auto first =
            second == 0 || second == std::string_view::npos ? std::string_view::npos : line.rfind(':', second - 1);
        topic_partition at;
        offset end = 0;
        if (first == std::string_view::npos || first == 0 ||
            !number(line.substr(first + 1, second - first - 1), at.partition) ||
            !number(line.substr(second + 1), end)) {
            return base::failed(base::fault::kind::broken, fmt::format("\"{}\" is not TOPIC:PARTITION:END",
                                                                       base::to_printable(line.substr(0, 100))));
        }
        at.topic = line.substr(0, first);
        all[std::move(at)] = end;
    }
    return all;
}

void trust(crypto::key_ring keys, refusal_sink sink, unsigned_ends before) {
    auto& here = the_holder();
    const std::lock_guard lock{here.guard};
    here.held = std::make_shared<const authority>(std::move(keys), std::move(sink), std::move(before));
}

void refuse(const record& r, std::string_view why) {
    present_authority()->refuse(r, why);
}

} // namespace semel::kafka
