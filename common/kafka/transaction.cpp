#include <kafka/transaction.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace semel::kafka {
namespace {

using namespace std::chrono_literals;

conf_ptr configure(const producer_options& options) {
    const auto timeout = options.transaction_timeout;
    auto conf = make_conf(options.bootstrap,
                          {{"transactional.id", options.transactional_id},
                           {"transaction.timeout.ms", std::to_string(timeout.count())},
                           // Toward the transaction's: a message that expires alone turns into a fatal error (#4438).
                           {"message.timeout.ms", std::to_string((timeout - timeout / 15).count())},
                           {"socket.timeout.ms", std::to_string(std::min(timeout - timeout / 15, 10'000ms).count())},
                           {"acks", "all"},
                           {"max.in.flight.requests.per.connection", "5"},
                           {"compression.codec", "lz4"},
                           {"linger.ms", "2"},
                           {"batch.num.messages", "10000"},
                           {"batch.size", "1000000"},
                           // What one process may hold back: the io thread waits beyond it.
                           {"queue.buffering.max.messages", "50000"},
                           {"queue.buffering.max.kbytes", "32768"}});
    // No delivery reports. A message that fails makes the commit fail, and a transaction need not know more; and a
    // flush waits for no reports that somebody else would have to take.
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_NONE);
    return conf;
}

error_traits traits_of(const rd_kafka_error_t* error) {
    return {rd_kafka_error_code(error), rd_kafka_error_is_retriable(error) != 0,
            rd_kafka_error_txn_requires_abort(error) != 0, rd_kafka_error_is_fatal(error) != 0};
}

partitions_ptr list_of(const std::vector<commit>& offsets) {
    partitions_ptr list{rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size()))};
    for (const auto& one : offsets) {
        if (one.next < 0) {
            // librdkafka would leave it out and say that all is well.
            throw std::logic_error{fmt::format("commit of {} at {}: no offset", name_of(one.at), one.next)};
        }
        auto* entry = rd_kafka_topic_partition_list_add(list.get(), one.at.topic.c_str(), one.at.partition);
        entry->offset = one.next;
        if (!one.metadata.empty()) {
            entry->metadata = std::malloc(one.metadata.size()); // librdkafka frees it
            std::memcpy(entry->metadata, one.metadata.data(), one.metadata.size());
            entry->metadata_size = one.metadata.size();
        }
    }
    return list;
}

} // namespace

transaction_client::transaction_client(const producer_options& options)
    : name_("producer " + options.transactional_id)
    , patience_(options.transaction_timeout)
    , client_(make_client(RD_KAFKA_PRODUCER, configure(options))) {}

transaction_client::step transaction_client::judged(error_ptr error, std::string_view doing) const {
    if (!error) {
        return {};
    }
    return {judge(traits_of(error.get())), fmt::format("{}: {} failed: {}", name_, doing, text_of(error.get())),
            rd_kafka_error_code(error.get())};
}

/// Calls again as long as librdkafka says that this resumes, up to the transaction's timeout and a little more: the
/// broker has decided by then.
template <class Call>
transaction_client::step transaction_client::persist(Call call, std::string_view doing) const {
    const auto deadline = std::chrono::steady_clock::now() + patience_ + 5s;
    for (;;) {
        auto result = judged(error_ptr{call()}, doing);
        if (result.verdict != verdict::retry) {
            return result;
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return {verdict::rebuild, result.why, result.code};
        }
        std::this_thread::sleep_for(20ms); // on the producer's own thread
    }
}

transaction_client::step transaction_client::init(std::chrono::milliseconds patience) {
    return judged(error_ptr{rd_kafka_init_transactions(client_.get(), static_cast<int>(patience.count()))},
                  "init_transactions");
}

transaction_client::step transaction_client::begin() {
    doomed_.clear();
    doom_ = verdict::done;
    auto begun = judged(error_ptr{rd_kafka_begin_transaction(client_.get())}, "begin_transaction");
    if (begun.verdict != verdict::done) {
        doomed_ = begun.why;
        doom_ = verdict::rebuild;
    }
    return begun;
}

rd_kafka_topic_t* transaction_client::topic(const std::string& name) {
    // A handful of topics: a scan beats a hash.
    const auto found = std::ranges::find(topics_, name, &decltype(topics_)::value_type::first);
    if (found != topics_.end()) {
        return found->second.get();
    }
    topics_.emplace_back(name, topic_ptr{rd_kafka_topic_new(client_.get(), name.c_str(), nullptr)});
    return topics_.back().second.get();
}

bool transaction_client::produce(const topic_partition& to, std::string_view key, const char* value, std::size_t size) {
    if (doom_ != verdict::done) {
        return true; // nothing of this transaction will be seen; commit() says why
    }
    const auto code = trusted_->produce(client_.get(), topic(to.topic), to, key, value, size, nullptr);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return false;
    }
    doomed_ = fmt::format("{}: a record for {} was refused: {}", name_, name_of(to), text_of(code));
    doom_ = code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__FENCED ? verdict::rebuild : verdict::abort;
    return true;
}

commit_result transaction_client::commit(const std::vector<kafka::commit>& offsets, const membership* as) {
    if (doom_ == verdict::rebuild) {
        return {outcome::unknown, doomed_};
    }
    if (doom_ == verdict::abort) {
        return give_up({.verdict = doom_, .why = doomed_});
    }
    if (!offsets.empty() && as != nullptr) {
        const auto list = list_of(offsets);
        const auto sent =
            persist([&] { return rd_kafka_send_offsets_to_transaction(client_.get(), list.get(), as->get(), -1); },
                    "sending the offsets");
        if (sent.verdict == verdict::abort) {
            return give_up(sent);
        }
        if (sent.verdict != verdict::done) {
            return {outcome::unknown, sent.why};
        }
    }
    // Any timeout but -1 can leave client and broker at odds (rdkafka.h).
    const auto committed = persist([&] { return rd_kafka_commit_transaction(client_.get(), -1); }, "commit");
    if (committed.verdict == verdict::done) {
        return {outcome::committed, {}};
    }
    if (committed.verdict == verdict::abort) {
        return give_up(committed);
    }
    return {outcome::unknown, committed.why};
}

commit_result transaction_client::give_up(const step& after) {
    const auto aborted = abort();
    if (aborted.verdict == verdict::done) {
        return {outcome::aborted, after.why, membership_lapsed(after.code)};
    }
    return {outcome::unknown, after.why + "; then " + aborted.why};
}

transaction_client::step transaction_client::abort() {
    if (doom_ == verdict::rebuild) {
        return {verdict::rebuild, doomed_};
    }
    // An abort that overtakes the first produce answers INVALID_TXN_STATE, fatal (#4849): let them arrive first.
    rd_kafka_flush(client_.get(), 1'000);
    auto aborted = persist([&] { return rd_kafka_abort_transaction(client_.get(), -1); }, "abort");
    if (aborted.verdict != verdict::done) {
        aborted.verdict = verdict::rebuild;
    }
    return aborted;
}

} // namespace semel::kafka
