#include <kafka/group_progress.hpp>
#include <kafka/handles.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::kafka {

namespace {

constexpr int timeout_ms = 5'000;

/// Of the call, or else of the first partition that has one.
rd_kafka_resp_err_t error_of(rd_kafka_resp_err_t whole, const rd_kafka_topic_partition_list_t& list) {
    for (int i = 0; whole == RD_KAFKA_RESP_ERR_NO_ERROR && i < list.cnt; ++i) {
        whole = list.elems[i].err;
    }
    return whole;
}

} // namespace

struct group_progress::impl {
    std::string group;
    std::vector<topic_partition> partitions;
    client_ptr client; // knows the group's offsets; joins nothing

    std::unexpected<base::fault> refused(rd_kafka_resp_err_t code, std::string_view doing) const {
        return base::failed(passes_by_itself(code) ? base::fault::kind::unreachable : base::fault::kind::broken,
                            fmt::format("Kafka: reading {} group {}: {}", doing, group, text_of(code)));
    }
};

group_progress::group_progress(cluster at, std::string group, std::vector<topic_partition> partitions)
    : impl_(std::make_unique<impl>()) {
    impl_->client = make_client(RD_KAFKA_CONSUMER, make_conf(at, {{"group.id", group}}));
    impl_->group = std::move(group);
    impl_->partitions = std::move(partitions);
}

group_progress::~group_progress() = default;

base::result<std::vector<group_progress::position>> group_progress::read() {
    const auto committed = make_list(impl_->partitions);
    const auto ends = make_list(impl_->partitions);
    for (int i = 0; i < ends->cnt; ++i) {
        ends->elems[i].offset = RD_KAFKA_OFFSET_END; // as a time: that of the end (KIP-79)
    }
    auto code = error_of(rd_kafka_committed(impl_->client.get(), committed.get(), timeout_ms), *committed);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return impl_->refused(code, "the offsets of");
    }
    code = error_of(rd_kafka_offsets_for_times(impl_->client.get(), ends.get(), timeout_ms), *ends);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return impl_->refused(code, "the ends of the partitions of");
    }
    std::vector<position> out;
    for (int i = 0; i < committed->cnt; ++i) {
        const auto& one = committed->elems[i];
        out.push_back({.at = {one.topic, one.partition},
                       .committed = std::max<offset>(one.offset, 0),
                       .end = std::max<offset>(ends->elems[i].offset, 0)});
    }
    return out;
}

} // namespace semel::kafka
