#pragma once
// JSON lines, one event a line: {"time","level","service","event",...fields}. Ids and numbers, never an address, a
// name, a slot's value or a secret: a test greps every log for planted ones.

#include <base/time.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace semel::telemetry {

enum class level : unsigned char { debug, info, warn, error };
/// "debug", "info", "warn", "error".
std::optional<level> level_from(std::string_view name) noexcept;

struct field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    field(std::string_view k, std::string_view v)
        : key(k)
        , value(v) {}
    field(std::string_view k, const char* v)
        : key(k)
        , value(std::string_view{v}) {}
    field(std::string_view k, const std::string& v)
        : key(k)
        , value(std::string_view{v}) {}
    field(std::string_view k, bool v)
        : key(k)
        , value(v) {}
    field(std::string_view k, double v)
        : key(k)
        , value(v) {}
    template <class I>
        requires std::is_integral_v<I>
    field(std::string_view k, I v)
        : key(k)
        , value(static_cast<std::int64_t>(v)) {}
};

/// Thread-safe. Writes to standard error (the supervisor keeps .semel/log/SERVICE.log).
class logger {
  public:
    explicit logger(std::string service, level least = level::info);
    void write(level, std::string_view event, std::initializer_list<field> = {});
    void debug(std::string_view event, std::initializer_list<field> f = {}) { write(level::debug, event, f); }
    void info(std::string_view event, std::initializer_list<field> f = {}) { write(level::info, event, f); }
    void warn(std::string_view event, std::initializer_list<field> f = {}) { write(level::warn, event, f); }
    void error(std::string_view event, std::initializer_list<field> f = {}) { write(level::error, event, f); }

  private:
    std::string service_;
    level least_;
};

/// One line with its line feed. Pure: what logger::write() writes. Strings are escaped; bytes that are not UTF-8 become
/// U+FFFD.
std::string format_line(base::timestamp, level, std::string_view service, std::string_view event,
                        std::initializer_list<field> = {});

/// The process' logger; set once by serve(). Libraries that have no context use it.
logger& log();
void set_log(std::unique_ptr<logger>);

} // namespace semel::telemetry
