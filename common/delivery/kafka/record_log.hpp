#pragma once
// Kafka as the engine's log: one consumer of the channel's group, one transactional producer, and the membership that
// binds what the second commits to what the first was assigned.

#include <delivery/engine/ports.hpp>
#include <kafka/cluster.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace semel::delivery {

struct record_log_options {
    kafka::cluster bootstrap;
    std::string group;
    std::string instance; // "email-2": group.instance.id and transactional.id
    std::vector<std::string> topics;
    std::chrono::milliseconds session_timeout{10'000};
};

class record_log final : public log_reader, public log_writer {
  public:
    record_log(asio::any_io_executor, record_log_options);
    ~record_log() override;

    asio::awaitable<log_event> next() override;
    void begin(std::span<const kafka::start>) override;
    void release(const kafka::revoked&) override;
    void pause(std::span<const kafka::topic_partition>) override;
    void resume(std::span<const kafka::topic_partition>) override;
    asio::awaitable<base::result<std::vector<kafka::commit>>> committed(std::vector<kafka::topic_partition>) override;
    void bind_membership() override;
    asio::awaitable<void> close() override;
    asio::awaitable<base::result<void>> leave() override;

    asio::awaitable<void> init() override;
    void begin() override;
    asio::awaitable<void> produce(kafka::topic_partition to, std::string_view key, std::string_view value) override;
    asio::awaitable<kafka::commit_result> commit(std::vector<kafka::commit> offsets) override;
    asio::awaitable<void> rebuild() override;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::delivery
