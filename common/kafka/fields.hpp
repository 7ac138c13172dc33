#pragma once
// The fields of Kafka's older, inflexible messages (https://kafka.apache.org/protocol). Pure; inside the module.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::kafka {

class field_writer {
  public:
    template <class Int>
    field_writer& number(Int value) {
        for (int shift = static_cast<int>(sizeof(Int)) * 8 - 8; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>(value >> shift & 0xff));
        }
        return *this;
    }
    field_writer& text(std::string_view s) {
        number(static_cast<std::int16_t>(s.size()));
        bytes_.append(s);
        return *this;
    }
    field_writer& bytes(std::string_view s) {
        number(static_cast<std::int32_t>(s.size()));
        bytes_.append(s);
        return *this;
    }
    const std::string& written() const noexcept { return bytes_; }

  private:
    std::string bytes_;
};

/// Whatever is not there reads as nothing.
class field_reader {
  public:
    explicit field_reader(std::string_view bytes)
        : rest_(bytes) {}
    template <class Int>
    std::optional<Int> number() {
        if (rest_.size() < sizeof(Int)) {
            rest_ = {};
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(Int); ++i) {
            value = value << 8U | static_cast<unsigned char>(rest_[i]);
        }
        rest_.remove_prefix(sizeof(Int));
        return static_cast<Int>(value);
    }
    /// Empty for a null.
    std::optional<std::string> text() { return counted(number<std::int16_t>()); }
    std::optional<std::string> bytes() { return counted(number<std::int32_t>()); }

  private:
    std::optional<std::string> counted(std::optional<std::int32_t> size) {
        const auto n = static_cast<std::size_t>(std::max<std::int32_t>(size.value_or(0), 0));
        if (!size || rest_.size() < n) {
            rest_ = {};
            return std::nullopt;
        }
        std::string out{rest_.substr(0, n)};
        rest_.remove_prefix(n);
        return out;
    }

    std::string_view rest_;
};

} // namespace semel::kafka
