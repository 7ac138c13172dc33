#pragma once
// Reads `notices`, writes `artifacts` and `feedback`. One notice is one transaction with its offset.

#include <kafka/transactor.hpp>
#include <telemetry/metrics.hpp>
#include <wire/topics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <render/core/rendering.hpp>

#include <string>
#include <vector>

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

class service : private kafka::tenant {
  public:
    service(boost::asio::any_io_executor, settings, telemetry::metrics&);

    /// Until `stop` completes; then leaves the group. Cut short anywhere, the next process goes on. Throws when it
    /// cannot.
    boost::asio::awaitable<void> run(boost::asio::awaitable<void> stop);

  private:
    boost::asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    boost::asio::awaitable<void> leave(kafka::tenure_ptr) override;

    boost::asio::awaitable<void> handle(kafka::tenure_ptr, kafka::record);
    boost::asio::awaitable<void> produce(kafka::transaction&, const rendering&);
    void tell(const rendering&, const v1::NoticeSource&);

    settings settings_;
    telemetry::counter compiled_;
    telemetry::counter refused_;
    kafka::transactor transactor_;
};

} // namespace semel::render
