#include <kafka/verdict.hpp>

namespace semel::kafka {
namespace {

/// The broker may have done it without our hearing. An abort after such an error can leave a batch in flight behind
/// the abort marker (KAFKA-14053), so the producer's epoch has to be raised instead, which a rebuild does.
bool leaves_doubt(rd_kafka_resp_err_t code) noexcept {
    switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
        return true;
    default:
        return false;
    }
}

/// Somebody else has our transactional id, or the broker believes so.
bool fenced(rd_kafka_resp_err_t code) noexcept {
    switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED:
        return true;
    default:
        return false;
    }
}

} // namespace

verdict judge(const error_traits& error) noexcept {
    if (error.code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return verdict::done;
    }
    if (error.fatal || fenced(error.code)) {
        return verdict::rebuild;
    }
    if (error.abortable) {
        return leaves_doubt(error.code) ? verdict::rebuild : verdict::abort;
    }
    return error.retriable ? verdict::retry : verdict::rebuild;
}

bool membership_lapsed(rd_kafka_resp_err_t code) noexcept {
    switch (code) {
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        return true;
    default:
        return false;
    }
}

std::string_view to_string(verdict v) noexcept {
    switch (v) {
    case verdict::done:
        return "done";
    case verdict::retry:
        return "retry";
    case verdict::abort:
        return "abort";
    case verdict::rebuild:
        return "rebuild";
    }
    return "rebuild";
}

} // namespace semel::kafka
