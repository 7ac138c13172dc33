#include "time.hpp"

#include "written_time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace semel::base {
namespace {

using namespace std::chrono;

/// Takes exactly `width` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
    if (text.size() < width) {
        return std::nullopt;
    }
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return std::nullopt;
        }
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// The digits behind the point; more than six are read and cut off.
std::optional<microseconds> take_fraction(std::string_view& text) {
    microseconds::rep value = 0, unit = 100'000;
    const auto before = text.size();
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        value += (text.front() - '0') * unit;
        unit /= 10;
        text.remove_prefix(1);
    }
    return text.size() < before ? std::optional{microseconds{value}} : std::nullopt;
}

std::optional<sys_days> take_day(std::string_view& text) {
    const auto y = take_digits(text, 4);
    if (!y || !take(text, '-')) {
        return std::nullopt;
    }
    const auto m = take_digits(text, 2);
    if (!m || !take(text, '-')) {
        return std::nullopt;
    }
    const auto d = take_digits(text, 2);
    if (!d) {
        return std::nullopt;
    }
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
    return date.ok() ? std::optional{sys_days{date}} : std::nullopt;
}

/// Seconds may be left out; 60 is a leap second.
std::optional<microseconds> take_clock(std::string_view& text) {
    const auto h = take_digits(text, 2);
    if (!h || !take(text, ':')) {
        return std::nullopt;
    }
    const auto m = take_digits(text, 2);
    if (!m || *h > 23 || *m > 59) {
        return std::nullopt;
    }
    const microseconds to_the_minute = hours{*h} + minutes{*m};
    if (!take(text, ':')) {
        return to_the_minute;
    }
    const auto s = take_digits(text, 2);
    if (!s || *s > 60) {
        return std::nullopt;
    }
    const auto fraction = take(text, '.') ? take_fraction(text) : std::optional{microseconds{0}};
    return fraction ? std::optional{to_the_minute + seconds{*s} + *fraction} : std::nullopt;
}

std::optional<minutes> take_zone(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) {
        return minutes{0};
    }
    const bool minus = take(text, '-');
    if (!minus && !take(text, '+')) {
        return std::nullopt;
    }
    const auto h = take_digits(text, 2);
    if (!h) {
        return std::nullopt;
    }
    take(text, ':');
    const auto m = take_digits(text, 2);
    if (!m || *h > 23 || *m > 59) {
        return std::nullopt;
    }
    return minutes{*h * 60 + *m} * (minus ? -1 : 1);
}

struct civil {
    year_month_day date;
    hh_mm_ss<microseconds> clock;
};

civil split(timestamp t) {
    const auto day = floor<days>(t);
    return {.date = year_month_day{day}, .clock = hh_mm_ss{t - day}};
}

} // namespace

timestamp now() noexcept {
    return time_point_cast<microseconds>(system_clock::now());
}

std::string to_rfc3339(timestamp t) {
    const auto [date, clock] = split(t);
    auto text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                    unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (const auto us = clock.subseconds().count(); us != 0) {
        text += fmt::format(".{:06}", us);
    }
    return text + "Z";
}

std::optional<timestamp> from_rfc3339(std::string_view text) {
    const auto day = take_day(text);
    if (!day || !(take(text, 'T') || take(text, 't') || take(text, ' '))) {
        return std::nullopt;
    }
    const auto clock = take_clock(text);
    if (!clock) {
        return std::nullopt;
    }
    const auto zone = take_zone(text);
    if (!zone || !text.empty()) {
        return std::nullopt;
    }
    return timestamp{*day} + *clock - *zone;
}

std::string trouble_with_rfc3339(std::string_view text) {
    constexpr auto example = "write a time with its zone, such as 2026-11-27T09:00:00+09:00";
    if (from_rfc3339(std::string{text} + "Z")) {
        return fmt::format("it names no zone, and which clock is meant nobody can know; {}", example);
    }
    const auto clock = text.find_first_of("Tt ");
    if (clock == 10 && text.substr(clock + 1).starts_with("24:")) {
        return fmt::format("there is no hour 24: midnight is 00:00 of the next day; {}", example);
    }
    if (clock == 10 && !from_rfc3339(std::string{text.substr(0, clock)} + "T00:00Z")) {
        return fmt::format("there is no such day; {}", example);
    }
    return example;
}

std::string to_rfc5322(timestamp t) {
    static constexpr std::array<const char*, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto [date, clock] = split(t);
    return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", day_names[weekday{sys_days{date}}.c_encoding()],
                       unsigned(date.day()), month_names[unsigned(date.month()) - 1], int(date.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<duration> parse_duration(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || value < 0 || value > 1'000'000'000) {
        return std::nullopt;
    }
    const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
    if (unit == "ms") {
        return milliseconds{value};
    }
    if (unit == "s") {
        return seconds{value};
    }
    if (unit == "m") {
        return minutes{value};
    }
    if (unit == "h") {
        return hours{value};
    }
    if (unit == "d") {
        return days{value};
    }
    return std::nullopt;
}

} // namespace semel::base
