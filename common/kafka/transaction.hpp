#pragma once
// Internal: the blocking half of the transactional producer. One client with one transactional id, thrown away as a
// whole when nobody knows any more what the broker did.

#include <kafka/authority.hpp>
#include <kafka/handles.hpp>
#include <kafka/producer.hpp>
#include <kafka/verdict.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace semel::kafka {

class transaction_client {
  public:
    explicit transaction_client(const producer_options&);

    struct step {
        kafka::verdict verdict = verdict::done;
        std::string why;
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    /// Blocks for up to this long; retry: call again.
    step init(std::chrono::milliseconds patience);
    step begin();
    /// False when the local queue is full. Any other failure dooms the transaction: commit() will abort it.
    bool produce(const topic_partition& to, std::string_view key, const char* value, std::size_t size);
    /// Blocking, bounded by the transaction's timeout.
    commit_result commit(const std::vector<commit>& offsets, const membership* as);
    /// Blocking. done, or rebuild.
    step abort();

    const std::string& name() const noexcept { return name_; }

  private:
    rd_kafka_topic_t* topic(const std::string& name);
    step judged(error_ptr error, std::string_view doing) const;
    template <class Call>
    step persist(Call call, std::string_view doing) const;
    commit_result give_up(const step& after);

    std::string name_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<const authority> trusted_ = present_authority();
    client_ptr client_;
    std::vector<std::pair<std::string, topic_ptr>> topics_; // destroyed before client_
    std::string doomed_;                                    // why the open transaction must not be committed
    verdict doom_ = verdict::done;
};

} // namespace semel::kafka
