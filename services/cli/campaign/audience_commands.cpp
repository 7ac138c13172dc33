#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/private_file.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/upload.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>

namespace semel::cli::campaign {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::failed;
using base::fault;
using base::result;

struct adding : common_options {
    std::string id, file, format;
    bool accept_unreachable = false;
};

std::string megabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

/// Streams the file into the request: whatever its size, a piece of it is in memory.
result<json::value> send_file(session& s, const adding& how, progress& shown) {
    const bool from_stdin = how.file == "-";
    std::ifstream file;
    std::error_code unknown;
    std::optional<std::uint64_t> size;
    if (!from_stdin) {
        file.open(how.file, std::ios::binary);
        if (!file || fs::is_directory(how.file, unknown)) {
            return failed(fault::kind::permanent,
                          fmt::format("cannot read {}: {}", how.file,
                                      file ? "it is a folder" : std::generic_category().message(errno)));
        }
        if (fs::is_regular_file(how.file, unknown)) {
            size = fs::file_size(how.file);
        }
    }
    std::istream& in = from_stdin ? std::cin : file;
    std::uint64_t sent = 0;
    auto next_word = std::chrono::steady_clock::now() + 500ms;
    http::client_request request;
    request.method = "POST";
    request.target = campaign_target(how.id, fmt::format("/uploads?format={}{}",
                                                         how.format.empty() ? format_of(how.file) : how.format,
                                                         how.accept_unreachable ? "&accept_unreachable=true" : ""));
    request.headers.emplace_back("Content-Type", "application/octet-stream");
    request.length = size;
    request.source = [&](std::span<char> into) -> std::size_t {
        in.read(into.data(), static_cast<std::streamsize>(into.size()));
        if (in.bad()) {
            throw std::runtime_error{fmt::format("{} could not be read to its end; nothing was added", how.file)};
        }
        const auto n = static_cast<std::size_t>(in.gcount());
        sent += n;
        if (std::chrono::steady_clock::now() > next_word) {
            next_word += 500ms;
            shown.say(size ? fmt::format("uploading: {} of {}", megabytes(sent), megabytes(*size))
                           : fmt::format("uploading: {}", megabytes(sent)));
        }
        return n;
    };
    auto answer = s.send(std::move(request));
    if (!answer) {
        return failed(answer.error());
    }
    return json::read(answer->body);
}

/// The rows left out and why; empty when there are none.
result<std::string> fetch_rejects(session& s, const adding& how, std::int64_t upload, std::int64_t wave) {
    const auto to = rejects_file_for(how.file, wave);
    auto file = private_file::create(to.string());
    if (!file) {
        return failed(file.error().within("the wave is imported"));
    }
    std::uint64_t lines = 0;
    http::client_request request;
    request.target = campaign_target(how.id, fmt::format("/uploads/{}/rejects", upload));
    request.sink = [&](std::string_view piece) {
        lines += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
        file->out() << piece;
    };
    const auto answer = s.send(std::move(request));
    if (!answer) {
        return failed(answer.error());
    }
    if (lines <= 1) { // the header alone
        std::error_code ignored;
        fs::remove(to, ignored); // an older list would be taken for this one
        return std::string{};
    }
    if (const auto kept = file->keep(); !kept) {
        return failed(kept.error().within("the wave is imported"));
    }
    return to.string();
}

int tell(const adding& how, const json::object& upload, const std::string& rejects) {
    const auto wave = number_of(upload, "wave");
    const auto& warnings = list_of(upload, "warnings");
    for (const auto& warning : warnings) {
        if (warning.is_string()) {
            fmt::print(stderr, "warning: {}: {}\n", how.file, one_line(warning.get_string()));
        }
    }
    if (how.json) {
        print_json(json::object{
            {"wave", wave},
            {"rows", number_of(upload, "rows")},
            {"rejected", number_of(upload, "rejected")},
            {"unreachable", number_of(upload, "unreachable")},
            {"warnings", warnings},
            {"columns", list_of(upload, "columns")},
            {"rejects_file", rejects.empty() ? json::value(nullptr) : json::value(json::string(rejects))}});
        return 0;
    }
    fmt::print("wave {}: {} rows, {} rejected", wave, with_separators(number_of(upload, "rows")),
               with_separators(number_of(upload, "rejected")));
    if (const auto unreachable = number_of(upload, "unreachable"); unreachable != 0) {
        fmt::print(", {} without a usable address", with_separators(unreachable));
    }
    fmt::print("\n");
    if (!rejects.empty()) {
        fmt::print("rejected rows and addresses left out, with line and reason: {}\n", rejects);
    }
    return 0;
}

int add(session& s, const adding& how) {
    progress shown;
    const auto sent = send_file(s, how, shown);
    if (!sent) {
        return fail(sent.error());
    }
    auto upload = sent->is_object() ? sent->get_object() : json::object{};
    const auto number = number_of(upload, "upload");
    const auto* known = upload.if_contains("known");
    const bool had_before = known != nullptr && known->is_bool() && known->get_bool();
    while (text_of(upload, "state") == "importing" || text_of(upload, "state") == "receiving") {
        shown.say(fmt::format("importing upload {} (`semel ps` shows whether intake runs)", number));
        pause_for(200ms);
        const auto now = get_patiently(s, campaign_target(how.id, fmt::format("/uploads/{}", number)), shown);
        if (!now) {
            return fail(now.error());
        }
        upload = now->is_object() ? now->get_object() : json::object{};
    }
    if (text_of(upload, "state") != "imported") {
        return fail({fault::kind::permanent, fmt::format("{} was refused, nothing of it was imported: {}", how.file,
                                                         printable(text_of(upload, "reason")))});
    }
    // Only now does it have its place among the campaign's waves: others may have been imported meanwhile.
    const auto wave = number_of(upload, "wave");
    if (had_before) {
        fmt::print(stderr, "the campaign has this file already: it is wave {}\n", wave);
    }
    std::string rejects;
    if (const auto* has = upload.if_contains("has_rejects"); has != nullptr && has->is_bool() && has->get_bool()) {
        auto fetched = fetch_rejects(s, how, number, wave);
        if (!fetched) {
            return fail(fetched.error());
        }
        rejects = std::move(*fetched);
    }
    return tell(how, upload, rejects);
}

struct dropping : common_options {
    std::string id;
    std::uint32_t wave = 0;
};

int drop(session& s, const dropping& which) {
    const auto answer = s.post(campaign_target(which.id, fmt::format("/waves/{}/drop", which.wave)));
    if (!answer) {
        return fail(answer.error());
    }
    if (which.json) {
        print_json(*answer);
        return 0;
    }
    fmt::print("wave {} is dropped: nobody is told by it. The same file may be added again\n", which.wave);
    return 0;
}

void add_drop_command(CLI::App& audience, int& exit_code) {
    auto which = std::make_shared<dropping>();
    auto* command = audience.add_subcommand("drop", "Discard a wave that is not launched");
    command->footer("Example:\n  semel audience drop c-abcdefghijklmnop 2\n\n"
                    "Its people are not told by it and are in no count; the same file may be added again. An approved "
                    "wave is\ndropped by an approver who did not create the campaign (--as approver).");
    add_common(*command, which);
    add_id(*command, which->id);
    command->add_option("WAVE", which->wave, "Its number, as `semel campaign show ID` lists it")
        ->required()
        ->check(CLI::Range(1, 999'999'999));
    command->callback(
        [which, &exit_code] { exit_code = with_session(*which, [&](session& s) { return drop(s, *which); }); });
}

} // namespace

void add_audience_commands(CLI::App& program, int& exit_code) {
    auto* audience = program.add_subcommand("audience", "Add the people of a campaign");
    audience->require_subcommand(1);
    auto how = std::make_shared<adding>();
    auto* command = audience->add_subcommand("add", "Upload a file of people as a wave of the campaign");
    command->footer(
        "Example:\n  semel audience add c-abcdefghijklmnop people.csv.gz\n"
        "  psql -c '\\copy (SELECT ...) TO STDOUT CSV HEADER' | semel audience add c-abcdefghijklmnop -\n\n"
        "CSV with a header, or one JSON object a line; plain, gzip or zstd. Columns: recipient_id (required, unique),\n"
        "email, phone, push (apns:TOKEN or fcm:TOKEN; several with ; between), locale, name, country, segments (; "
        "between);\nany other column is a slot for the notice's texts. Usual spellings are recognised (E-Mail, phone "
        "number, 이메일,\n휴대폰); what is not used is named. Blanks around a value are taken off. The same file twice "
        "is one wave. A wave\ngets its number when its import has ended; `semel audience drop` discards one that is "
        "not launched.");
    add_common(*command, how);
    add_id(*command, how->id);
    command->add_option("FILE", how->file, "The file, - for standard input")->required();
    command->add_option("--format", how->format, "csv or ndjson [by the file's name]")
        ->check(CLI::IsMember({"csv", "ndjson"}));
    command->add_flag("--accept-unreachable", how->accept_unreachable,
                      "Go on although more than a tenth of the people have no usable address: they really gave none");
    command->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return add(s, *how); }); });
    add_drop_command(*audience, exit_code);
}

} // namespace semel::cli::campaign
