#pragma once
// Reads `notices`, writes `artifacts` and `feedback`. One notice is one transaction with its offset. A transaction
// whose end is unknown is simply made again: artifacts are named by their content, and the api takes the same word
// twice.

#include <kafka/consumer.hpp>
#include <kafka/producer.hpp>
#include <telemetry/metrics.hpp>
#include <wire/topics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace semel::render {

struct settings {
    kafka::cluster bootstrap;
    std::string instance; // group.instance.id and transactional.id
    std::string group = "render";
    struct {
        std::string notices{wire::notices};
        std::string artifacts{wire::artifacts};
        std::string feedback{wire::feedback};
    } topics;
};

class service {
  public:
    service(boost::asio::any_io_executor, settings, telemetry::metrics&);

    /// Until cancelled; cut short anywhere, the next process goes on. Throws when it cannot.
    boost::asio::awaitable<void> run();
    /// After run(): leaves the group.
    boost::asio::awaitable<void> close();

  private:
    boost::asio::awaitable<void> begin(kafka::assigned);
    boost::asio::awaitable<void> handle(kafka::record);

    settings settings_;
    telemetry::counter compiled_;
    telemetry::counter refused_;
    kafka::transactional_producer producer_;
    kafka::consumer consumer_;
    std::shared_ptr<const kafka::membership> membership_; // of the present assignment
};

} // namespace semel::render
