#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/private_file.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {

namespace {

struct reporting : common_options, purpose_options {
    std::string id, unreached, repeated;
    bool csv = false, pdf = false;
};

int write_list(session& s, const std::string& target, const std::string& path, const purpose_options& why) {
    auto file = private_file::create(path);
    if (!file) {
        return fail(file.error());
    }
    http::client_request request;
    request.target = target;
    request.headers = headers_of(why);
    request.sink = [&out = file->out()](std::string_view piece) { out << piece; };
    const auto answer = s.send(std::move(request));
    if (!answer) {
        return fail(answer.error());
    }
    const auto kept = file->keep();
    return kept ? 0 : fail(kept.error());
}

/// There are other campaigns of its incident, or of its family.
bool has_company(const json::object& report) {
    const auto* together = report.if_contains("together");
    return together != nullptr && together->is_array() && together->get_array().size() > 1;
}

int report(session& s, const reporting& how) {
    if (!how.unreached.empty()) {
        return write_list(s, campaign_target(how.id, "/unreached"), how.unreached, how);
    }
    if (!how.repeated.empty()) {
        return write_list(s, campaign_target(how.id, "/repeated"), how.repeated, how);
    }
    auto found = s.get(campaign_target(how.id, "/report"));
    if (!found) {
        return fail(found.error());
    }
    if (found->is_object() && !how.csv && has_company(found->get_object())) {
        auto incident = s.get(campaign_target(how.id, "/incident"));
        if (!incident) {
            return fail(incident.error());
        }
        found->get_object()["incident"] = std::move(*incident);
    }
    if (how.json || !found->is_object()) {
        print_json(*found);
    } else {
        fmt::print("{}", how.csv ? report_csv(found->get_object()) : report_text(found->get_object()));
    }
    return 0;
}

} // namespace

void add_report(CLI::App& campaign, int& exit_code) {
    auto how = std::make_shared<reporting>();
    auto* command = campaign.add_subcommand("report", "The coverage: what became of everybody");
    command->footer(
        "Example:\n"
        "  semel campaign report c-abcdefghijklmnop --csv > coverage.csv\n"
        "  semel campaign report c-abcdefghijklmnop --unreached people.csv\n\n"
        "rows = reached + failed + unreachable + in doubt + outstanding + repeated + rejected\n\n"
        "Beside other campaigns of its incident it says how often people were told over a campaign and those "
        "that follow it.");
    add_common(*command, how);
    add_id(*command, how->id);
    add_purpose(*command, *how);
    auto* csv = command->add_flag("--csv", how->csv, "The lines of the coverage as CSV");
    auto* unreached =
        command
            ->add_option(
                "--unreached", how->unreached,
                "Instead: the people whom nothing reached, as CSV into this file (- for standard output), for a "
                "letter or a public notice. Personal data")
            ->excludes(csv);
    command
        ->add_option(
            "--repeated", how->repeated,
            "Instead: the rows that repeat a recipient_id of their wave, as CSV into this file (- for standard "
            "output), each with what became of it. Personal data")
        ->excludes(csv)
        ->excludes(unreached);
    command->add_flag("--pdf", how->pdf, "Not in this version");
    command->callback([how, &exit_code] {
        exit_code = how->pdf ? unsupported("report --pdf; use --csv or --json")
                             : with_session(*how, [&](session& s) { return report(s, *how); });
    });
}

} // namespace semel::cli::campaign
