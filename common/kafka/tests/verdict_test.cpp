#include <kafka/verdict.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace semel::kafka {
namespace {

struct row {
    rd_kafka_resp_err_t code;
    bool retriable;
    bool abortable;
    bool fatal;
    verdict expected;
};

// As librdkafka 2.0.2 hands them out (rdkafka_txnmgr.c), and the combinations that it does not promise to avoid.
const std::vector<row> table{
    {RD_KAFKA_RESP_ERR_NO_ERROR, false, false, false, verdict::done},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, true, false, false, verdict::retry},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, true, false, false, verdict::retry},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, true, false, false, verdict::retry},
    {RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, true, false, false, verdict::retry},
    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, false, true, false, verdict::abort},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, false, true, false, verdict::abort},
    // Abortable, but the broker may have done it: an abort could race with what is in flight.
    {RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR__TRANSPORT, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, false, true, false, verdict::rebuild},
    // Fenced, however it is flagged.
    {RD_KAFKA_RESP_ERR__FENCED, false, false, true, verdict::rebuild},
    {RD_KAFKA_RESP_ERR__FENCED, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, false, true, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED, true, false, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, false, false, true, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, false, false, true, verdict::rebuild},
    {RD_KAFKA_RESP_ERR__FATAL, true, true, true, verdict::rebuild},
    // Neither retriable, abortable nor fatal: to be treated as fatal (INTRODUCTION.md).
    {RD_KAFKA_RESP_ERR__STATE, false, false, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR__CONFLICT, false, false, false, verdict::rebuild},
    {RD_KAFKA_RESP_ERR_UNKNOWN, false, false, false, verdict::rebuild},
};

TEST(Verdict, FollowsTheTable) {
    for (const auto& r : table) {
        EXPECT_EQ(judge({r.code, r.retriable, r.abortable, r.fatal}), r.expected)
            << rd_kafka_err2name(r.code) << (r.retriable ? " retriable" : "") << (r.abortable ? " abortable" : "")
            << (r.fatal ? " fatal" : "") << ": " << to_string(judge({r.code, r.retriable, r.abortable, r.fatal}));
    }
}

TEST(Verdict, AMembershipLapsesWithItsGenerationOrItsInstance) {
    for (const auto code : {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
                            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID}) {
        EXPECT_TRUE(membership_lapsed(code)) << rd_kafka_err2name(code);
    }
    // Another producer has our transactional id: that says nothing about the group.
    for (const auto code : {RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
                            RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, RD_KAFKA_RESP_ERR__TIMED_OUT}) {
        EXPECT_FALSE(membership_lapsed(code)) << rd_kafka_err2name(code);
    }
}

TEST(Verdict, NoCodeWithoutFlagsIsTakenForHarmless) {
    const rd_kafka_err_desc* codes = nullptr;
    std::size_t count = 0;
    rd_kafka_get_err_descs(&codes, &count);
    for (std::size_t i = 0; i < count; ++i) {
        if (codes[i].name != nullptr && codes[i].code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            EXPECT_EQ(judge({codes[i].code, false, false, false}), verdict::rebuild) << codes[i].name;
            EXPECT_EQ(judge({codes[i].code, true, true, true}), verdict::rebuild) << codes[i].name;
            EXPECT_NE(judge({codes[i].code, false, true, false}), verdict::retry) << codes[i].name;
        }
    }
}

} // namespace
} // namespace semel::kafka
