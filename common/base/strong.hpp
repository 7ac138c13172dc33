#pragma once
// A value with a meaning of its own: two ids of one representation cannot be exchanged by accident.

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace semel::base {

/// `using row_number = strong<struct row_number_tag, std::uint64_t>;`. Construction is explicit; comparison and
/// hashing are the representation's.
template <class Tag, class T>
class strong {
  public:
    using value_type = T;

    constexpr strong() = default;
    constexpr explicit strong(T value)
        : value_(std::move(value)) {}

    constexpr const T& value() const noexcept { return value_; }

    friend constexpr auto operator<=>(const strong&, const strong&) = default;
    friend constexpr bool operator==(const strong&, const strong&) = default;

  private:
    T value_{};
};

} // namespace semel::base

template <class Tag, class T>
struct std::hash<semel::base::strong<Tag, T>> {
    std::size_t operator()(const semel::base::strong<Tag, T>& s) const noexcept { return std::hash<T>{}(s.value()); }
};
