#include "plan_commands.hpp"

#include <audience/decoder.hpp>
#include <audience/import.hpp>
#include <base/written_time.hpp>
#include <config/config.hpp>
#include <notice/check.hpp>
#include <notice/compile.hpp>
#include <notice/deadline.hpp>
#include <notice/locale.hpp>
#include <notice/sms_text.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/upload.hpp>
#include <cli/plan/outlook_view.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <system_error>

namespace semel::cli::plan {
namespace {

namespace fs = std::filesystem;
using base::failed;
using base::fault;
using base::result;

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;
constexpr std::size_t most_reasons = 200; // a few name a line, and there may be as many as rows

/// What the files beside the audience say.
struct surroundings {
    audience::terms terms;
    plan::rates rates;
    unsigned sms_parts = 1;
    std::optional<notice::legal_deadline> law;
};

/// Gateways of one kind carry what there is side by side: their rates add up. One without a rate takes any.
struct gateways_rate {
    double sum = 0;
    bool open = false;
    unsigned count = 0;

    void add(double per_second) {
        sum += per_second;
        open |= per_second == 0;
        ++count;
    }
    void into(plan::rates& rates, part at) const {
        if (count != 0 && !open) {
            rates[std::move(at)] = sum;
        }
    }
};

void take_rates(const std::vector<config::gateway>& gateways, base::channel channel, plan::rates& into) {
    std::map<std::string, gateways_rate> transports, domains;
    gateways_rate whole;
    for (const auto& g : gateways) {
        whole.add(g.limit.per_second);
        if (channel == base::channel::push) {
            transports[std::holds_alternative<config::apns>(g.link) ? "apns" : "fcm"].add(g.limit.per_second);
        }
        for (const auto& [domain, limit] : g.domains) {
            domains[domain].add(limit.per_second);
        }
    }
    if (channel != base::channel::push) { // what is for one transport no gateway of the other carries
        whole.into(into, {channel, {}});
    }
    for (const auto& [name, rate] : transports) {
        rate.into(into, {channel, name});
    }
    for (const auto& [name, rate] : domains) {
        if (rate.count == gateways.size()) { // else another gateway takes the domain without a limit
            rate.into(into, {channel, name});
        }
    }
}

result<void> read_config(const std::string& file, surroundings& into) {
    const auto s = config::load(file);
    if (!s) {
        return failed(s.error());
    }
    take_rates(s->email, base::channel::email, into.rates);
    take_rates(s->push, base::channel::push, into.rates);
    take_rates(s->sms, base::channel::sms, into.rates);
    into.terms.most_rows = s->limits.rows;
    return {};
}

/// The longest SMS that anybody gets, with what slots say by default.
unsigned most_parts(const notice::notice_source& source, const crypto::digest& digest) {
    std::size_t most = 1;
    for (const auto& one : notice::compile(source, digest)) {
        if (!one.artifact.has_sms() || one.artifact.supplement()) {
            continue;
        }
        std::string text;
        for (const auto& piece : one.artifact.sms().text()) {
            text += piece.slot().empty() ? piece.literal() : piece.slot_default();
        }
        most = std::max(most, notice::count_sms_parts(text));
    }
    return static_cast<unsigned>(most);
}

result<void> read_notice(const std::string& folder, surroundings& into) {
    const auto files = notice::load_folder(folder);
    if (!files) {
        return failed(files.error());
    }
    const auto checked = notice::check(*files);
    if (!checked.ok()) {
        return failed(fault::kind::malformed,
                      fmt::format("{} cannot be sent; `semel notice check {}` says why", folder, folder));
    }
    const auto& source = checked.source;
    into.terms.segment_names = source.segments;
    into.terms.any_segment = false;
    for (const auto& [slot, definition] : source.slots) {
        into.terms.slot_names.push_back(slot);
    }
    into.terms.channels = source.channels;
    into.sms_parts = most_parts(source, notice::digest_of(*files));
    into.law = notice::legal_deadline_of(source);
    return {};
}

result<surroundings> look_around(const what_if& how) {
    surroundings out;
    out.terms.default_region = how.region;
    out.terms.any_segment = true;
    out.terms.accept_unreachable = how.accept_unreachable;
    out.terms.locale = [](std::string_view wanted) { return std::string{wanted}; };
    if (!how.config.empty()) {
        if (const auto ok = read_config(how.config, out); !ok) {
            return failed(ok.error());
        }
    }
    if (!how.notice.empty()) {
        if (const auto ok = read_notice(how.notice, out); !ok) {
            return failed(ok.error());
        }
    }
    if (!how.channels.empty()) {
        out.terms.channels.clear();
        for (const auto& name : how.channels) {
            out.terms.channels.push_back(*base::channel_from(name));
        }
    }
    const auto said = rates_from(how.rates);
    if (!said) {
        return failed(said.error());
    }
    for (const auto& [at, per_second] : *said) { // what is said takes the place of all that semel.yaml has for it
        std::erase_if(out.rates, [&](const auto& known) { return known.first.first == at.first; });
        out.rates[at] = per_second;
    }
    return out;
}

std::set<std::string, std::less<>> domains_of(const rates& all) {
    std::set<std::string, std::less<>> out;
    for (const auto& [at, rate] : all) {
        if (at.first == base::channel::email && !at.second.empty()) {
            out.insert(at.second);
        }
    }
    return out;
}

void note(const audience::reject& r, finding& into) {
    auto why = fmt::format("{}{}{} ({})", r.column, r.column.empty() ? "" : ": ", r.reason, to_string(r.effect));
    const bool is_new = into.rejects.size() >= most_reasons && !into.rejects.contains(why);
    ++into.rejects[is_new ? std::string{"other reasons"} : std::move(why)];
}

/// The whole file, as intake's check reads it.
result<void> read_people(std::istream& in, const what_if& how, const surroundings& around, finding& into) {
    std::string piece(piece_bytes, '\0');
    audience::decoder decoded{[&]() -> result<std::string_view> {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (in.bad()) {
            return failed(fault::kind::permanent, "it cannot be read to its end");
        }
        return std::string_view{piece}.substr(0, static_cast<std::size_t>(in.gcount()));
    }};
    const auto format = audience::format_from(how.format.empty() ? campaign::format_of(how.file) : how.format);
    audience::importer rows{[&decoded] { return decoded.next(); }, *format, around.terms};
    load_counter count{domains_of(around.rates), around.terms.channels,
                       how.dedup == "account" ? dedup::account : dedup::address};
    v1::Recipient person;
    for (;;) {
        const auto step = rows.next(person);
        if (!step) {
            return failed(step.error());
        }
        if (*step == audience::importer::step::end) {
            break;
        }
        for (const auto& r : rows.rejects()) {
            note(r, into);
        }
        if (*step == audience::importer::step::recipient) {
            count.add(person);
        }
    }
    if (const auto whole = rows.judge_whole(); !whole) {
        return whole;
    }
    into.totals = rows.totals();
    into.warnings = rows.warnings();
    into.asked.load = count.finish();
    return {};
}

void set_times(const what_if& how, base::timestamp now, const surroundings& around, finding& f) {
    const auto start = base::from_rfc3339(how.start);
    f.asked.begins = std::chrono::floor<std::chrono::seconds>(start ? std::max(now, *start) : now);
    f.asked.deadline = base::from_rfc3339(how.deadline);
    // A campaign to which nobody gives a deadline takes the law's while a day of it is left.
    if (!f.asked.deadline && around.law && around.law->at >= f.asked.begins + std::chrono::hours{24}) {
        f.asked.deadline = around.law->at;
        f.deadline_basis = fmt::format("the law's, by {}", around.law->jurisdiction);
    }
}

int fail(std::ostream& err, const fault& why) {
    fmt::print(err, "{}\n", why.why());
    return 1;
}

/// As the file or semel.yaml of the local stack says, where nothing is said.
std::string usual_config(const std::string& dir) {
    const auto file = fs::path{dir} / "config" / "semel.yaml";
    std::error_code unknown;
    return fs::exists(file, unknown) ? file.string() : std::string{};
}

std::string a_time(const std::string& text) {
    return base::from_rfc3339(text) ? std::string{} : base::trouble_with_rfc3339(text);
}

std::string a_rate(const std::string& text) {
    const auto read = rates_from({text});
    return read ? std::string{} : read.error().why();
}

void add_file_options(CLI::App& command, what_if& how) {
    command.add_option("FILE", how.file, "The audience, as for `semel audience add`; - for standard input")->required();
    command.add_option("--format", how.format, "csv or ndjson [by the file's name]")
        ->check(CLI::IsMember({"csv", "ndjson"}));
    command
        .add_option("--notice", how.notice, "The notice folder: its channels, segments, SMS parts and legal deadline")
        ->check(CLI::ExistingDirectory);
    command.add_option("--channels", how.channels, "Some of email,push,sms [the notice's, or all]")
        ->delimiter(',')
        ->check(CLI::IsMember({"email", "push", "sms"}));
    command.add_option("--dedup", how.dedup, "One message for each address, or for each account at an address")
        ->check(CLI::IsMember({"address", "account"}))
        ->capture_default_str();
    command.add_option("--region", how.region, "The country of phone numbers without a country code")
        ->capture_default_str();
    command.add_flag("--accept-unreachable", how.accept_unreachable,
                     "Go on although more than a tenth of the people have no usable address");
}

void add_pace_options(CLI::App& command, what_if& how) {
    command
        .add_option(
            "--rates", how.rates,
            "Submissions a second (or 600/m, 1000/h) of each channel; an SMS counts part by part [semel.yaml's]")
        ->delimiter(',')
        ->check(a_rate);
    command.add_option("--config", how.config, "The semel.yaml with the gateways' rates [DIR/config/semel.yaml]")
        ->check(CLI::ExistingFile);
    command.add_option("--rate", how.own_rate, "The campaign's own rate, messages a second, 0: none")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    command.add_option("--start", how.start, "When it begins [now]")->check(a_time);
    command.add_option("--deadline", how.deadline, "When it must be done [the law's, of the notice]")->check(a_time);
}

} // namespace

base::result<rates> rates_from(const std::vector<std::string>& words) {
    rates out;
    for (const auto& word : words) {
        const auto equals = word.find('=');
        const auto channel = base::channel_from(word.substr(0, equals));
        if (equals == std::string::npos || !channel) {
            return failed(fault::kind::malformed,
                          fmt::format("\"{}\" is not CHANNEL=RATE: write email=300, push=500 or sms=40", word));
        }
        auto text = word.substr(equals + 1);
        const auto per_second = config::parse_rate(text.contains('/') ? text : text + "/s");
        if (!per_second) {
            return failed(per_second.error());
        }
        out[{*channel, {}}] = per_second->per_second;
    }
    return out;
}

int run(const what_if& how, base::timestamp now, std::istream& standard_input, std::ostream& out, std::ostream& err) {
    const auto around = look_around(how);
    if (!around) {
        return fail(err, around.error());
    }
    std::ifstream file;
    if (how.file != "-") {
        std::error_code unknown;
        file.open(how.file, std::ios::binary);
        if (!file || fs::is_directory(how.file, unknown)) {
            fmt::print(err, "cannot read {}: {}\n", how.file,
                       file ? "it is a folder" : std::generic_category().message(errno));
            return 1;
        }
    }
    finding f;
    f.file = how.file;
    if (const auto read = read_people(how.file == "-" ? standard_input : file, how, *around, f); !read) {
        return fail(err, read.error().within(how.file));
    }
    f.asked.rates = around->rates;
    f.asked.sms_parts = around->sms_parts;
    f.asked.own_rate = how.own_rate;
    set_times(how, now, *around, f);
    f.seen = foresee(f.asked);
    if (how.json) {
        fmt::print(out, "{}\n", json::serialize(outlook_json(f)));
    } else {
        fmt::print(out, "{}", outlook_text(f));
    }
    return f.asked.deadline && !f.seen.in_time.value_or(false) ? 1 : 0;
}

void add_plan_commands(CLI::App& program, int& exit_code) {
    auto* group = program.add_subcommand("plan", "How long would it take? Before anything is uploaded or sent");
    group->require_subcommand(1);
    auto how = std::make_shared<what_if>();
    auto dir = std::make_shared<std::string>(".semel");
    auto* command =
        group->add_subcommand("what-if", "When an audience would be told at given rates, and what would help");
    add_file_options(*command, *how);
    add_pace_options(*command, *how);
    command->add_option("--dir", *dir, "The local stack, whose semel.yaml is taken if there is one")
        ->capture_default_str();
    command->add_flag("--json", how->json, "Print one JSON document");
    command->footer("Example:\n  semel plan what-if people.csv --rates email=300,push=500,sms=40 --deadline "
                    "2026-11-27T09:00:00+09:00\n\n"
                    "Reads the file as the import does, keeps nothing of it and shows nobody. What gateways refuse, "
                    "put off or take\n"
                    "more slowly comes on top. Exit codes: 0 in time, or without a deadline; 1 too late, or nobody can "
                    "say, or the\n"
                    "file would be refused.");
    command->callback([how, dir, &exit_code] {
        if (how->config.empty()) {
            how->config = usual_config(*dir);
        }
        exit_code = run(*how, base::now(), std::cin, std::cout, std::cerr);
    });
}

} // namespace semel::cli::plan
