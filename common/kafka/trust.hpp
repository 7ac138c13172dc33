#pragma once
// Which records are believed. Every record that a producer of this process writes carries a header `semel-mac`: a MAC
// over topic, partition, key and value under a key of its topic (crypto/key_ring.hpp). Every record that a consumer or
// reader fetches is held against it before anybody sees its bytes. What does not verify is not given to anybody: the
// sink is told, and reading goes on behind it.

#include <base/fault.hpp>
#include <crypto/key_ring.hpp>
#include <kafka/types.hpp>

#include <functional>
#include <map>
#include <string_view>

namespace semel::kafka {

/// A record that is not believed, or that cannot be used. Lives for the length of the call.
struct refused_record {
    const topic_partition& at;
    kafka::offset offset;
    std::string_view key, value; // hostile, or sealed: never logged
    std::string_view why;
};
/// Called on the strand of whoever reads. Must neither throw nor wait.
using refusal_sink = std::function<void(const refused_record&)>;

/// Where partitions ended when the first version with MACs began: what lies below carries none and is believed. Nobody
/// can write there any more.
using unsigned_ends = std::map<topic_partition, offset>;
/// Lines of `TOPIC:PARTITION:END`, as kafka-get-offsets.sh prints them.
base::result<unsigned_ends> parse_ends(std::string_view text);

/// Once in a process, before its first producer, consumer or reader: without keys there is none of them.
void trust(crypto::key_ring keys, refusal_sink sink, unsigned_ends before = {});

/// For a reader's user: this record is genuine and yet cannot be used. The sink is told as of one that is not.
void refuse(const record&, std::string_view why);

} // namespace semel::kafka
