#pragma once
// Internal, pure: what a transactional call's error means for the transaction. INTRODUCTION.md of librdkafka: an error
// that is neither retriable nor abortable is to be treated as fatal.

#include <librdkafka/rdkafka.h>

#include <string_view>

namespace semel::kafka {

struct error_traits {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool retriable = false;
    bool abortable = false; // rd_kafka_error_txn_requires_abort
    bool fatal = false;
};

enum class verdict {
    done,
    retry,   ///< call the same function again: it resumes where it was
    abort,   ///< the transaction can only be aborted; the producer stays good
    rebuild, ///< nobody knows what the broker did: only a new producer with the same id decides it
};

verdict judge(const error_traits&) noexcept;
std::string_view to_string(verdict) noexcept;
/// The group does not know this membership any more. Whoever tries again under it is refused again.
bool membership_lapsed(rd_kafka_resp_err_t) noexcept;

} // namespace semel::kafka
