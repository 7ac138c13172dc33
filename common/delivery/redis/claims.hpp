#pragma once
// The claims of a dispatcher in Redis: taken just before the bytes that make a gateway accept, given an outcome just
// after its answer (docs/exactly-once.md). One partition's head and claims share a hash tag.
//
//   {d:TOPIC:PARTITION}:head       owner, marker, run_id, replid, closing
//   {d:TOPIC:PARTITION}:c:BLOCK    notification+attempt -> what core/claim_value.hpp says; a block is 1,024 offsets
//
// One strand. Requests of one partition that are made while another of it is under way travel together.

#include <delivery/engine/ports.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

class claims final : public claim_store {
  public:
    claims(boost::asio::any_io_executor, redis::client&, const kafka::topic_partition&);
    ~claims() override;

    boost::asio::awaitable<base::result<std::optional<head>>> raise(std::uint64_t owner, marker fresh) override;
    boost::asio::awaitable<base::result<void>> rebuild(const head&,
                                                       std::vector<std::pair<claim_ref, std::string>> open) override;
    boost::asio::awaitable<base::result<std::vector<std::optional<std::string>>>>
    look_up(const head&, std::vector<claim_ref>) override;
    void use(const head&) override;
    boost::asio::awaitable<claim_answer> take(claim_ref, std::string gateway, bool again) override;
    void note(claim_ref, const claim_outcome&) override;
    /// Whole blocks.
    void drop_below(kafka::offset next) override;

    static constexpr kafka::offset block_size = 1'024;

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
