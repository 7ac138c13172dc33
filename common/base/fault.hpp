#pragma once
// The expected kind of failure, as a value. What is broken (a bug, a lost invariant) is an exception instead.

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace semel::base {

/// Why something could not be done and what the caller may do about it. `why()` says what happened, where, and what
/// to do; it never contains an address, a name or a secret.
class fault {
  public:
    enum class kind : unsigned char {
        transient,   ///< try again later
        throttled,   ///< try again after wait()
        permanent,   ///< will not work for this input
        malformed,   ///< the input is broken: outside bytes that do not parse
        unreachable, ///< a service or peer could not be reached
        stopping,    ///< the process is draining
        broken,      ///< configuration or environment: an operator must act
    };

    fault() = default;
    fault(kind k, std::string why)
        : kind_(k)
        , why_(std::move(why)) {}
    fault(std::chrono::milliseconds wait, std::string why)
        : kind_(kind::throttled)
        , why_(std::move(why))
        , wait_(wait) {}

    kind what() const noexcept { return kind_; }
    const std::string& why() const noexcept { return why_; }
    std::optional<std::chrono::milliseconds> wait() const noexcept { return wait_; }
    bool retryable() const noexcept {
        return kind_ == kind::transient || kind_ == kind::throttled || kind_ == kind::unreachable;
    }

    /// The same fault, told from further out: "reading x: " + why.
    fault within(std::string_view where) const;

  private:
    kind kind_ = kind::broken;
    std::string why_;
    std::optional<std::chrono::milliseconds> wait_;
};

std::string_view to_string(fault::kind k) noexcept;

template <class T>
using result = std::expected<T, fault>;

/// `return failed(fault::kind::malformed, "line 3: ...");`
inline std::unexpected<fault> failed(fault::kind k, std::string why) {
    return std::unexpected<fault>{fault{k, std::move(why)}};
}
inline std::unexpected<fault> failed(fault f) {
    return std::unexpected<fault>{std::move(f)};
}

} // namespace semel::base
