#pragma once
// What an import has committed, read back while it still writes: so the proof ends soon after the last row. One strand.

#include <base/fault.hpp>
#include <kafka/consumer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <intake/core/span_proof.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

namespace semel::intake {

class read_back {
  public:
    /// `from`: each partition's end before the first row was written.
    read_back(boost::asio::any_io_executor, kafka::cluster, span_proof, const std::vector<kafka::start>& from,
              std::stop_token);

    /// The writer has committed the last of so many chunks; or, without a number, it has given up.
    void written(std::optional<std::uint64_t> chunks);

    using spans = std::vector<v1::AudienceSpan>;
    /// Until all that was written has been read; nothing when the writer gave up. `broken`: it does not add up.
    boost::asio::awaitable<base::result<std::optional<spans>>> run();

  private:
    bool given_up() const;
    boost::asio::awaitable<base::result<void>> read_to_end();

    kafka::reader reader_;
    span_proof proof_;
    std::stop_token stop_;
    bool ended_ = false; // the writer
    std::optional<std::uint64_t> chunks_;
};

} // namespace semel::intake
