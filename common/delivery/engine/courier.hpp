#pragma once
// One message, from its record to its settlement, in four steps: prepare, stage, claim, release. Each either goes on or
// ends; conclude() alone acts on an ending.

#include <delivery/engine/admission.hpp>
#include <delivery/engine/lanes.hpp>
#include <delivery/engine/outcomes.hpp>
#include <delivery/engine/ownership.hpp>
#include <delivery/engine/partitions.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace semel::delivery {

/// Not settled, and certainly not sent: it waits where it was, for us or for the next owner.
struct untouched {};
/// Nobody can read it.
struct unreadable {
    std::string why;
};
struct settled {
    settlement how;
    answer by = {};
};
using ending = std::variant<untouched, unreadable, settled>;

class courier {
  public:
    courier(base::channel, const ports&, partitions&, lanes&, admission&, outcomes&, ownership&);

    /// To its ending, whatever that is. False: it waits where it was.
    asio::awaitable<bool> deliver(partition_ptr, item&);

  private:
    /// What of a record is known once it is opened and its slots are filled.
    struct letter;
    /// Everything but its last bytes is written.
    struct held;
    template <class T>
    using step = std::expected<T, ending>;

    asio::awaitable<ending> carry(const partition_ptr&, item&);
    asio::awaitable<step<letter>> prepare(item&);
    step<letter> write(item&, const catalog::campaign&, const v1::Artifact&);
    asio::awaitable<step<held>> stage(const partition_ptr&, const letter&);
    asio::awaitable<step<base::instant>> take_token(const partition_ptr&, const letter&, held&);
    asio::awaitable<std::optional<ending>> claim(const partition_ptr&, item&, const letter&, held&);
    asio::awaitable<ending> release(const partition_ptr&, const item&, const letter&, held&, base::instant token);
    asio::awaitable<verdict> release_all(const letter&, held&);
    bool conclude(const partition_ptr&, item&, ending);

    enum class claimed : unsigned char { yes, in_doubt, later, withdrawn };
    asio::awaitable<claimed> ask_for_claim(partition_ptr, const item&, const std::string& gateway);
    asio::awaitable<bool> may_claim(const partition_ptr&, base::instant until_when);

    std::optional<ending> unwanted(const catalog::campaign&, const v1::Dispatch&) const;
    ending shut(const letter&, std::chrono::milliseconds wait) const;
    ending at_limit(const letter&, const lane&, std::chrono::milliseconds stay_away) const;
    void note(const partition_ptr&, const item&, const verdict&, const answer&);

    base::channel channel_;
    ports ports_;
    partitions& partitions_;
    lanes& lanes_;
    admission& admission_;
    outcomes& outcomes_;
    ownership& ownership_;
};

} // namespace semel::delivery
