#include "outlook_view.hpp"

#include <cli/campaign/text_table.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace semel::cli::plan {
namespace {

using campaign::rate_text;
using campaign::text_table;

constexpr std::size_t most_reasons = 8;

std::string number(std::uint64_t n) {
    return campaign::with_separators(static_cast<std::int64_t>(n));
}

/// "2 d 3 h", "3 h 20 min", "4 min 5 s", "12 s".
std::string length(base::duration d) {
    const auto all = std::chrono::ceil<std::chrono::seconds>(d).count();
    const auto two = [all](std::int64_t unit, std::string_view name, std::int64_t next, std::string_view next_name) {
        const auto rest = all % unit / next;
        return rest == 0 ? fmt::format("{} {}", all / unit, name)
                         : fmt::format("{} {} {} {}", all / unit, name, rest, next_name);
    };
    return all >= 86'400  ? two(86'400, "d", 3'600, "h")
           : all >= 3'600 ? two(3'600, "h", 60, "min")
           : all >= 60    ? two(60, "min", 1, "s")
                          : fmt::format("{} s", all);
}

std::string pace(double per_second) {
    return per_second < 0.1 ? fmt::format("{:.0f}/h", per_second * 3'600) : rate_text(per_second) + "/s";
}

/// Rounded up: what is said to be enough is enough.
double enough(double per_second) {
    return per_second < 10 ? std::ceil(per_second * 10) / 10 : std::ceil(per_second);
}

std::string name_of(base::channel channel, const course& c) {
    return c.narrowest.empty() ? std::string{base::to_string(channel)}
                               : fmt::format("{} ({})", base::to_string(channel), c.narrowest);
}

std::string counts_line(const finding& f) {
    auto line = fmt::format("{}: {} rows, {} rejected, {} repeated", campaign::one_line(f.file), number(f.totals.rows),
                            number(f.totals.rejected), number(f.asked.load.repeated));
    if (f.totals.unreachable != 0) {
        line += fmt::format(", {} without a usable address", number(f.totals.unreachable));
    }
    if (f.totals.left_out != 0) {
        line += fmt::format(", {} {} left out", number(f.totals.left_out),
                            f.totals.left_out == 1 ? "address" : "addresses");
    }
    return line + '\n';
}

std::string reasons_text(const finding& f) {
    std::vector<std::pair<std::uint64_t, std::string>> most;
    for (const auto& [reason, count] : f.rejects) {
        most.emplace_back(count, reason);
    }
    std::ranges::sort(most, std::ranges::greater{});
    std::string out;
    for (std::size_t i = 0; i < std::min(most.size(), most_reasons); ++i) {
        out += fmt::format("  {} x {}\n", number(most[i].first), campaign::one_line(most[i].second));
    }
    return most.size() <= most_reasons ? out
                                       : out + fmt::format("  and {} other reasons\n", most.size() - most_reasons);
}

std::string table_text(const finding& f) {
    using align = text_table::align;
    text_table table{{{"channel"},
                      {"addresses", align::right},
                      {"messages", align::right},
                      {"rate", align::right},
                      {"takes", align::right},
                      {"done"}}};
    const auto row = [&](std::string name, std::string addresses, const course& c) {
        table.add({std::move(name), std::move(addresses), number(c.messages),
                   c.per_second == 0 ? "?" : pace(c.per_second), c.done ? length(*c.done - f.asked.begins) : "?",
                   c.done ? base::to_rfc3339(*c.done) + (c.late ? "  late" : "") : "?"});
    };
    for (const auto& [channel, c] : f.seen.channels) {
        row(name_of(channel, c), number(c.addresses), c);
    }
    if (f.seen.own) {
        row("campaign's own rate", "", *f.seen.own);
    }
    return table.to_string();
}

std::string verdict_text(const finding& f) {
    if (!f.seen.done) {
        const bool late = f.seen.in_time && !*f.seen.in_time;
        return late ? "too late" : "when everybody is told cannot be said: a rate is missing";
    }
    auto line = fmt::format("everybody is told by {}", base::to_rfc3339(*f.seen.done));
    if (f.asked.deadline) {
        const auto apart = *f.asked.deadline - *f.seen.done;
        line += apart >= base::duration{} ? fmt::format(", {} before the deadline", length(apart))
                                          : fmt::format(": {} after the deadline", length(-apart));
    }
    return line + (f.seen.slowest ? fmt::format("; {} is the slowest", base::to_string(*f.seen.slowest))
                   : f.seen.own   ? "; the campaign's own rate decides"
                                  : "");
}

/// What a late course needs.
std::string mend(const std::string& who, const course& c) {
    if (!c.needs) {
        return fmt::format("{}: it begins after the deadline; choose an earlier start or a later deadline", who);
    }
    return fmt::format("{}: at {} it is late; {} would do", who, pace(c.per_second), pace(enough(*c.needs)));
}

std::vector<std::string> help_of(const finding& f) {
    std::vector<std::string> out;
    for (const auto& [channel, c] : f.seen.channels) {
        if (c.late) {
            out.push_back(mend(name_of(channel, c), c));
        } else if (c.per_second == 0) {
            out.push_back(fmt::format("{}: no rate is known for all of it; say one with --rates {}=N",
                                      base::to_string(channel), base::to_string(channel)));
        }
    }
    if (f.seen.own && f.seen.own->late) {
        out.push_back(mend("the campaign's own rate", *f.seen.own));
    }
    return out;
}

std::string deadline_line(const finding& f) {
    if (!f.asked.deadline) {
        return "no deadline is given (--deadline)\n";
    }
    return fmt::format("deadline {}{}\n", base::to_rfc3339(*f.asked.deadline),
                       f.deadline_basis.empty() ? "" : fmt::format(" ({})", f.deadline_basis));
}

json::value time_or_null(const std::optional<base::timestamp>& at) {
    return at ? json::value(json::string(base::to_rfc3339(*at))) : json::value(nullptr);
}

json::value rate_or_null(double per_second) {
    return per_second > 0 ? json::value(per_second) : json::value(nullptr);
}

json::object course_json(const course& c, const question& q) {
    return {{"addresses", c.addresses},
            {"messages", c.messages},
            {"submissions", c.submissions},
            {"rate_per_s", rate_or_null(c.per_second)},
            {"narrowest", c.narrowest.empty() ? json::value(nullptr) : json::value(json::string(c.narrowest))},
            {"takes_s", c.done ? json::value(std::chrono::ceil<std::chrono::seconds>(*c.done - q.begins).count())
                               : json::value(nullptr)},
            {"done", time_or_null(c.done)},
            {"late", c.late},
            {"needs_per_s", c.needs ? json::value(enough(*c.needs)) : json::value(nullptr)}};
}

} // namespace

std::string outlook_text(const finding& f) {
    auto out = counts_line(f) + reasons_text(f);
    for (const auto& warning : f.warnings) {
        out += "warning: " + campaign::one_line(warning) + '\n';
    }
    out += '\n' + table_text(f) + '\n' + deadline_line(f) + verdict_text(f) + '\n';
    for (const auto& line : help_of(f)) {
        out += line + '\n';
    }
    return out;
}

json::object outlook_json(const finding& f) {
    json::object channels;
    for (const auto& [channel, c] : f.seen.channels) {
        channels[base::to_string(channel)] = course_json(c, f.asked);
    }
    json::object rejects;
    for (const auto& [reason, count] : f.rejects) {
        rejects[reason] = count;
    }
    const auto help = help_of(f);
    return {{"file", f.file},
            {"rows", f.totals.rows},
            {"rejected", f.totals.rejected},
            {"repeated", f.asked.load.repeated},
            {"unreachable", f.totals.unreachable},
            {"addresses_left_out", f.totals.left_out},
            {"reasons", std::move(rejects)},
            {"begins", base::to_rfc3339(f.asked.begins)},
            {"deadline", time_or_null(f.asked.deadline)},
            {"deadline_basis", f.deadline_basis},
            {"channels", std::move(channels)},
            {"own_rate", f.seen.own ? json::value(course_json(*f.seen.own, f.asked)) : json::value(nullptr)},
            {"slowest",
             f.seen.slowest ? json::value(json::string(base::to_string(*f.seen.slowest))) : json::value(nullptr)},
            {"done", time_or_null(f.seen.done)},
            {"in_time", f.seen.in_time ? json::value(*f.seen.in_time) : json::value(nullptr)},
            {"warnings", json::array(f.warnings.begin(), f.warnings.end())},
            {"help", json::array(help.begin(), help.end())}};
}

} // namespace semel::cli::plan
