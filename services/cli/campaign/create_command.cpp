#include "commands.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <base/written_time.hpp>
#include <notice/source.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/follow_up_view.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace semel::cli::campaign {
namespace {

using namespace std::chrono_literals;
using base::failed;
using base::fault;
using base::result;

std::string a_duration(const std::string& text) {
    return base::parse_duration(text) ? std::string{} : "write a duration such as 30m, 90s or 6h";
}

std::string a_time(const std::string& text) {
    return base::from_rfc3339(text) ? std::string{} : base::trouble_with_rfc3339(text);
}

struct creating : common_options {
    std::string name, notice, incident, dedup = "address", in_doubt = "resend", in_doubt_after = "30m", region = "KR";
    std::vector<std::string> channels, cascade;
    std::string deadline, start, follow_up_of, outcome, segment, channel;
    std::uint32_t rate = 0, resends = 1, canary = 0, halt_least = 100;
    double halt_above = 0;
    bool region_given = false, accept_unreachable = false;
};

json::object request_of(const creating& how, const notice::files& files) {
    json::object notice;
    for (const auto& [file, bytes] : files) {
        notice[file] = base::to_base64(bytes);
    }
    json::object body{{"name", how.name},       {"incident", how.incident}, {"notice", std::move(notice)},
                      {"dedup", how.dedup},     {"in_doubt", how.in_doubt}, {"in_doubt_after", how.in_doubt_after},
                      {"rate_per_s", how.rate}, {"resends", how.resends}};
    if (how.canary != 0) {
        body["canary"] = how.canary;
    }
    if (how.halt_above > 0) {
        body["halt"] = json::object{{"above_percent", how.halt_above}, {"least_outcomes", how.halt_least}};
    }
    if (!how.channels.empty()) {
        body["channels"] = json::array(how.channels.begin(), how.channels.end());
    }
    const auto say = [&body](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            body[key] = value;
        }
    };
    say("deadline", how.deadline);
    say("start", how.start);
    say("outcome", how.outcome);
    say("segment", how.segment);
    say("channel", how.channel);
    if (how.follow_up_of.empty() || how.region_given) { // else the region of what it follows
        body["default_region"] = how.region;
    }
    if (how.accept_unreachable) {
        body["accept_unreachable"] = true;
    }
    return body;
}

void tell_warnings(const json::object& made, const creating& how, const notice::files& files) {
    const auto* warnings = made.if_contains("warnings");
    for (const auto& w : warnings != nullptr && warnings->is_array() ? warnings->get_array() : json::array{}) {
        if (w.is_string()) {
            const std::string_view said{w.get_string()};
            const bool of_a_file =
                std::ranges::any_of(files, [said](const auto& file) { return said.starts_with(file.first + ":"); });
            fmt::print(stderr, "warning: {}{}\n", of_a_file ? how.notice + "/" : "", one_line(said));
        }
    }
    if (!text_of(made, "deadline_basis").empty()) {
        fmt::print(stderr, "{}", deadline_text(made));
    }
}

/// Until its audience is a wave; what the freeze said is added to what the campaign's creator is told.
result<void> await_audience(session& s, json::object& made) {
    const auto id = text_of(made, "id");
    const auto target = campaign_target(id, fmt::format("/uploads/{}", number_of(made, "upload")));
    progress shown;
    for (;;) {
        const auto now = get_patiently(s, target, shown);
        if (!now) {
            return failed(now.error().within(fmt::format("campaign {} is made, its audience is not known", id)));
        }
        const auto& upload = now->is_object() ? now->get_object() : json::object{};
        const auto state = text_of(upload, "state");
        if (state == "freezing" || state == "importing") {
            shown.say(state == "freezing" ? "freezing the audience from the ledger"
                                          : "importing it (`semel ps` shows whether intake runs)");
            pause_for(200ms);
            continue;
        }
        if (state != "imported") {
            return failed(fault::kind::permanent, fmt::format("campaign {} was made, and has nobody to tell: {}", id,
                                                              printable(text_of(upload, "reason"))));
        }
        for (const auto* key : {"wave", "rows", "rejected", "unreachable"}) {
            made[key] = number_of(upload, key);
        }
        if (const auto* frozen = upload.if_contains("frozen"); frozen != nullptr) {
            made["follow_up"] = *frozen;
        }
        return {};
    }
}

int create(session& s, const creating& how) {
    const auto files = notice::load_folder(how.notice);
    if (!files) {
        return fail(files.error());
    }
    const auto body = request_of(how, *files);
    const auto answer = s.post(how.follow_up_of.empty() ? std::string{"/v1/campaigns"}
                                                        : campaign_target(how.follow_up_of, "/follow-ups"),
                               &body);
    if (!answer || !answer->is_object()) {
        return answer ? fail({fault::kind::unreachable, "what answered is not an api of Semel"}) : fail(answer.error());
    }
    auto made = answer->get_object();
    tell_warnings(made, how, *files);
    if (!how.follow_up_of.empty()) {
        if (const auto ready = await_audience(s, made); !ready) {
            return fail(ready.error());
        }
        fmt::print(stderr, "{}", follow_up_text(made));
    }
    how.json ? print_json(made) : fmt::print("{}\n", text_of(made, "id"));
    return 0;
}

/// How often somebody may be told, and what becomes of a message that nobody knows about.
void add_policies(CLI::App& command, creating& how) {
    command.add_option("--dedup", how.dedup, "One message for each address, or for each account at an address")
        ->check(CLI::IsMember({"address", "account"}))
        ->capture_default_str();
    command
        .add_option("--in-doubt", how.in_doubt,
                    "What becomes of a message that nobody knows about: resend may tell somebody twice")
        ->check(CLI::IsMember({"resend", "hold", "presume-sent"}))
        ->capture_default_str();
    command.add_option("--in-doubt-after", how.in_doubt_after, "How long evidence is waited for")
        ->check(a_duration)
        ->capture_default_str();
    command
        .add_option("--resends", how.resends,
                    "How often the policy resend sends one message again; in doubt after that, an approver decides")
        ->check(CLI::Range(0, 10))
        ->capture_default_str();
}

/// From when, until when and how fast.
void add_pace(CLI::App& command, creating& how) {
    command
        .add_option("--deadline", how.deadline,
                    "Nothing is sent after it; status warns when it is not kept [the law's, where a jurisdiction of "
                    "the notice counts in hours from aware_at and a day is left; else 7 days]")
        ->check(a_time);
    command.add_option("--start", how.start, "Nothing is sent before it")->check(a_time);
    command.add_option("--rate", how.rate, "Messages a second of the whole campaign, 0: as fast as the gateways allow")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
}

/// A few people first, and when to stop by itself.
void add_brakes(CLI::App& command, creating& how) {
    command
        .add_option("--canary", how.canary,
                    "Stop behind so many rows of the audience, until `semel campaign release` lets the rest go")
        ->check(CLI::Range(1, 1'000'000'000));
    auto* above =
        command
            .add_option("--halt-above", how.halt_above,
                        "Pause by itself when more than so many percent of a channel's outcomes are failures; an "
                        "operator resumes it")
            ->check(CLI::Range(0.001, 99.999));
    command.add_option("--halt-least", how.halt_least, "Judged by no fewer outcomes of a channel")
        ->check(CLI::Range(1, 1'000'000'000))
        ->capture_default_str()
        ->needs(above);
}

/// Of a follow-up, whom it tells again.
void add_people(CLI::App& command, creating& how) {
    auto* of = command.add_option("--follow-up-of", how.follow_up_of,
                                  "Tell the people of this campaign again: its audience is frozen from the other's "
                                  "ledger as it is now, and sealed anew");
    command.add_option("--outcome", how.outcome, "Of these, the ones that ended so [all]")
        ->check(CLI::IsMember({"reached", "failed", "in-doubt", "unreachable", "all"}))
        ->needs(of);
    command.add_option("--segment", how.segment, "Of these, the ones with this segment")->needs(of);
    command.add_option("--channel", how.channel, "The outcome is that on this channel alone")
        ->check(CLI::IsMember({"email", "push", "sms"}))
        ->needs(of);
    command
        .add_flag("--accept-unreachable", how.accept_unreachable,
                  "Go on although more than a tenth of them have no usable address")
        ->needs(of);
}

} // namespace

void add_create(CLI::App& campaign, int& exit_code) {
    auto how = std::make_shared<creating>();
    auto* command =
        subcommand(campaign, "create", "Make a campaign out of a notice folder; prints its id",
                   "  semel campaign create --name \"Renewed notice\" --notice notices/follow-up "
                   "--incident autumn-leak --deadline 2026-11-27T09:00:00+09:00\n"
                   "  semel campaign create --name \"New advice\" --notice notices/advice --follow-up-of "
                   "c-abcdefghijklmnop --outcome reached --as product\n\n"
                   "Of a follow-up it waits until the audience stands, and says count, digest and position.");
    add_common(*command, how);
    command->add_option("--name", how->name, "What colleagues call it")->required();
    command->add_option("--notice", how->notice, "The folder with notice.yaml; `semel notice check` says if it is fit")
        ->required()
        ->check(CLI::ExistingDirectory);
    command->add_option("--incident", how->incident, "Campaigns of one incident belong together in reports");
    auto* channels = command
                         ->add_option("--channels", how->channels,
                                      "Some of email,push,sms: everybody is told on each [those the notice has]")
                         ->delimiter(',')
                         ->check(CLI::IsMember({"email", "push", "sms"}));
    command->add_option("--cascade", how->cascade, "Not in this version: one channel after the other")
        ->delimiter(',')
        ->check(CLI::IsMember({"email", "push", "sms"}))
        ->excludes(channels);
    add_policies(*command, *how);
    add_pace(*command, *how);
    add_brakes(*command, *how);
    auto* region = command->add_option("--region", how->region, "The country of phone numbers without a country code")
                       ->capture_default_str();
    add_people(*command, *how);
    command->callback([how, region, &exit_code] {
        how->region_given = region->count() != 0;
        exit_code = how->cascade.empty()
                        ? with_session(*how, [&](session& s) { return create(s, *how); })
                        : unsupported("--cascade; name the channels with --channels, everybody is told on each");
    });
}

} // namespace semel::cli::campaign
