#include "commands.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <base/written_time.hpp>
#include <notice/source.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
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

CLI::App* subcommand(CLI::App& of, const std::string& name, const std::string& what, const std::string& example) {
    auto* command = of.add_subcommand(name, what);
    command->footer("Example:\n" + example);
    return command;
}

struct creating : common_options {
    std::string name, notice, incident, dedup = "address", in_doubt = "resend", in_doubt_after = "30m", region = "KR";
    std::vector<std::string> channels, cascade;
    std::string deadline, start, follow_up_of, outcome;
    std::uint32_t rate = 0, resends = 1;
};

int create(session& s, const creating& how) {
    const auto files = notice::load_folder(how.notice);
    if (!files) {
        return fail(files.error());
    }
    json::object notice;
    for (const auto& [file, bytes] : *files) {
        notice[file] = base::to_base64(bytes);
    }
    json::object body{{"name", how.name},
                      {"incident", how.incident},
                      {"notice", std::move(notice)},
                      {"dedup", how.dedup},
                      {"in_doubt", how.in_doubt},
                      {"in_doubt_after", how.in_doubt_after},
                      {"default_region", how.region},
                      {"rate_per_s", how.rate},
                      {"resends", how.resends}};
    if (!how.channels.empty()) {
        body["channels"] = json::array(how.channels.begin(), how.channels.end());
    }
    if (!how.deadline.empty()) {
        body["deadline"] = how.deadline;
    }
    if (!how.start.empty()) {
        body["start"] = how.start;
    }
    const auto made = s.post("/v1/campaigns", &body);
    if (!made || !made->is_object()) {
        return made ? fail({fault::kind::unreachable, "what answered is not an api of Semel"}) : fail(made.error());
    }
    const auto& o = made->get_object();
    if (const auto* warnings = o.if_contains("warnings"); warnings != nullptr && warnings->is_array()) {
        for (const auto& w : warnings->get_array()) {
            if (w.is_string()) {
                const std::string_view said{w.get_string()};
                const bool of_a_file = std::ranges::any_of(
                    *files, [said](const auto& file) { return said.starts_with(file.first + ":"); });
                fmt::print(stderr, "warning: {}{}\n", of_a_file ? how.notice + "/" : "", one_line(said));
            }
        }
    }
    if (!text_of(o, "deadline_basis").empty()) {
        fmt::print(stderr, "{}", deadline_text(o));
    }
    how.json ? print_json(*made) : fmt::print("{}\n", text_of(o, "id"));
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

void add_create(CLI::App& campaign, int& exit_code) {
    auto how = std::make_shared<creating>();
    auto* command = subcommand(campaign, "create", "Make a campaign out of a notice folder; prints its id",
                               "  semel campaign create --name \"Renewed notice\" --notice notices/follow-up "
                               "--incident autumn-leak --deadline 2026-11-27T09:00:00+09:00");
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
    command->add_option("--region", how->region, "The country of phone numbers without a country code")
        ->capture_default_str();
    command->add_option("--follow-up-of", how->follow_up_of, "Not in this version: the people of another campaign");
    command->add_option("--outcome", how->outcome, "Not in this version: of these, the ones that ended so")
        ->check(CLI::IsMember({"reached", "failed", "in-doubt", "all"}));
    command->callback([how, &exit_code] {
        if (!how->cascade.empty()) {
            exit_code = unsupported("--cascade; name the channels with --channels, everybody is told on each");
        } else if (!how->follow_up_of.empty() || !how->outcome.empty()) {
            exit_code = unsupported("--follow-up-of; make a campaign and add the people with `semel audience add` "
                                    "(`semel campaign report ID --unreached FILE` lists those not reached)");
        } else {
            exit_code = with_session(*how, [&](session& s) { return create(s, *how); });
        }
    });
}

/// A step that the api may ask to wait with: a notice is being compiled, a wave registered.
result<json::value> take_step(session& s, const std::string& id, const std::string& step,
                              const json::object* body = nullptr) {
    progress shown;
    const auto give_up = std::chrono::steady_clock::now() + 10min;
    for (;;) {
        auto answer = s.post(campaign_target(id, "/" + step), body);
        if (answer || answer.error().what() != fault::kind::transient || std::chrono::steady_clock::now() > give_up) {
            return answer;
        }
        shown.say("waiting: " + answer.error().why());
        pause_for(300ms);
    }
}

struct counted {
    bool registering = false;
    std::int64_t found = 0, wanted = 0;
};

counted registration_of(const json::value& campaign) {
    counted out;
    const auto* waves = campaign.is_object() ? campaign.get_object().if_contains("waves") : nullptr;
    if (waves == nullptr || !waves->is_array()) {
        return out;
    }
    for (const auto& item : waves->get_array()) {
        if (!item.is_object() || text_of(item.get_object(), "state") != "sealed") {
            continue;
        }
        const auto& wave = item.get_object();
        out.registering = true;
        out.wanted += number_of(wave, "rows") - number_of(wave, "rejected");
        if (const auto* plan = wave.if_contains("plan"); plan != nullptr && plan->is_object()) {
            out.found += number_of(plan->get_object(), "recipients");
        }
    }
    return out;
}

bool has_imported_wave(const json::value& campaign) {
    const auto* waves = campaign.is_object() ? campaign.get_object().if_contains("waves") : nullptr;
    return waves != nullptr && waves->is_array() && std::ranges::any_of(waves->get_array(), [](const json::value& w) {
               return w.is_object() && text_of(w.get_object(), "state") == "imported";
           });
}

int seal(session& s, const std::string& id, bool as_json) {
    progress shown;
    const auto sealed = s.post(campaign_target(id, "/seal"));
    if (!sealed && sealed.error().what() != fault::kind::permanent) {
        return fail(sealed.error());
    }
    for (bool first = true;; first = false) {
        const auto campaign = get_patiently(s, campaign_target(id), shown);
        if (!campaign) {
            return fail(campaign.error());
        }
        const auto now = registration_of(*campaign);
        if (first && !sealed && !now.registering) {
            return fail(sealed.error()); // else it was sealed by an earlier call, which was interrupted
        }
        if (now.registering) {
            shown.say(fmt::format("registering: {} of {} people (`semel ps` shows whether plan runs)",
                                  with_separators(now.found), with_separators(now.wanted)));
            pause_for(300ms);
            continue;
        }
        if (!sealed && has_imported_wave(*campaign)) {
            return fail(sealed.error()); // what was registered is an earlier wave
        }
        auto o = campaign->as_object();
        if (const auto said = sealed && sealed->is_object() ? sealed->get_object() : json::object{};
            said.contains("redis")) {
            o["redis"] = said.at("redis");
        }
        if (as_json) {
            print_json(o);
        } else {
            fmt::print("{}{}{}\nnext: semel campaign approve {} --as approver\n", deadline_text(o), memory_text(o),
                       waves_text(o), id);
        }
        return 0;
    }
}

int step(session& s, const std::string& id, const std::string& name, bool as_json, const json::object* body = nullptr) {
    const auto done = take_step(s, id, name, body);
    if (!done) {
        return fail(done.error());
    }
    if (as_json) {
        print_json(*done);
    } else {
        fmt::print("{} is {}\n", id, done->is_object() ? text_of(done->get_object(), "state") : "");
    }
    return 0;
}

int show(session& s, const std::string& id, bool as_json) {
    const auto campaign = s.get(campaign_target(id));
    if (!campaign) {
        return fail(campaign.error());
    }
    if (as_json || !campaign->is_object()) {
        print_json(*campaign);
    } else {
        fmt::print("{}", campaign_text(campaign->get_object()));
    }
    return 0;
}

struct watching : common_options {
    std::string id;
    bool watch = false;
};

int status(session& s, const watching& how) {
    board shown;
    progress waiting;
    for (;;) {
        const auto target = campaign_target(how.id, "/status");
        const auto now = how.watch ? get_patiently(s, target, waiting) : s.get(target);
        if (!now) {
            return fail(now.error());
        }
        const auto o = now->is_object() ? now->get_object() : json::object{};
        const auto state = text_of(o, "state");
        const bool over = !how.watch || state == "finished" || state == "cancelled";
        if (how.json) {
            over ? print_json(*now) : waiting.say(status_line(o).substr(0, status_line(o).size() - 1));
        } else if (how.watch) {
            shown.show(status_text(o), status_line(o));
        } else {
            fmt::print("{}", status_text(o));
        }
        if (over) {
            return 0;
        }
        pause_for(1s);
    }
}

struct testing : common_options {
    std::string id, file, format = "csv";
};

int test(session& s, const testing& how) {
    std::ifstream file;
    if (how.file != "-") {
        file.open(how.file, std::ios::binary);
        if (!file) {
            return fail({fault::kind::permanent, fmt::format("cannot read {}", how.file)});
        }
    }
    std::istream& in = how.file == "-" ? std::cin : file;
    const std::string rows{std::istreambuf_iterator<char>{in}, {}};
    progress shown;
    const auto give_up = std::chrono::steady_clock::now() + 2min;
    for (;;) {
        http::client_request request;
        request.method = "POST";
        request.target = campaign_target(how.id, "/test?format=" + how.format);
        request.body = rows;
        const auto answer = s.send(std::move(request));
        if (!answer) {
            if (answer.error().what() == fault::kind::transient && std::chrono::steady_clock::now() < give_up) {
                shown.say("waiting: " + answer.error().why());
                pause_for(300ms);
                continue;
            }
            return fail(answer.error());
        }
        const auto done = json::read(answer->body);
        if (!done || !done->is_object()) {
            return fail({fault::kind::unreachable, "what answered is not an api of Semel"});
        }
        if (how.json) {
            print_json(*done);
            return 0;
        }
        const auto& o = done->get_object();
        if (const auto* rejects = o.if_contains("rejects"); rejects != nullptr && rejects->is_array()) {
            for (const auto& r : rejects->get_array()) {
                fmt::print(stderr, "{}:{}: {}\n", how.file, number_of(r.as_object(), "line"),
                           one_line(text_of(r.as_object(), "reason")));
            }
        }
        fmt::print("{} test messages are on their way\n", with_separators(number_of(o, "messages")));
        return 0;
    }
}

void add_test(CLI::App& campaign, int& exit_code) {
    auto how = std::make_shared<testing>();
    auto* command = subcommand(campaign, "test", "Send the notice, marked as a test, to a few people of your own",
                               "  semel campaign test c-abcdefghijklmnop --to colleagues.csv\n\n"
                               "The file is an audience of at most 50 rows. Tests are outside the coverage.");
    add_common(*command, how);
    add_id(*command, how->id);
    command->add_option("--to", how->file, "Their rows, - for standard input")->required();
    command->add_option("--format", how->format, "csv or ndjson")
        ->check(CLI::IsMember({"csv", "ndjson"}))
        ->capture_default_str();
    command->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return test(s, *how); }); });
}

struct one : common_options {
    std::string id;
};

void add_step(CLI::App& campaign, int& exit_code, const std::string& name, const std::string& what,
              const std::string& example) {
    auto how = std::make_shared<one>();
    auto* command = subcommand(campaign, name, what, example);
    add_common(*command, how);
    add_id(*command, how->id);
    command->callback([how, name, &exit_code] {
        exit_code = with_session(*how, [&](session& s) {
            return name == "seal" ? seal(s, how->id, how->json) : step(s, how->id, name, how->json);
        });
    });
}

} // namespace

void add_campaign_commands(CLI::App& program, int& exit_code) {
    auto* campaign = program.add_subcommand("campaign", "Create a campaign and take it through its steps");
    campaign->require_subcommand(1);
    campaign->footer("The order: create, `semel audience add`, seal, test, approve (by another user), launch, status, "
                     "report.");
    add_create(*campaign, exit_code);

    auto listing = std::make_shared<common_options>();
    auto* list = subcommand(*campaign, "list", "All campaigns, oldest first", "  semel campaign list");
    add_common(*list, listing);
    list->callback([listing, &exit_code] {
        exit_code = with_session(*listing, [&](session& s) {
            const auto all = s.get("/v1/campaigns");
            if (!all) {
                return fail(all.error());
            }
            listing->json ? print_json(*all) : fmt::print("{}", campaigns_text(*all));
            return 0;
        });
    });

    auto shown = std::make_shared<one>();
    auto* show_command = subcommand(*campaign, "show", "One campaign with its waves: what an approver looks at",
                                    "  semel campaign show c-abcdefghijklmnop --as approver");
    add_common(*show_command, shown);
    add_id(*show_command, shown->id);
    show_command->callback([shown, &exit_code] {
        exit_code = with_session(*shown, [&](session& s) { return show(s, shown->id, shown->json); });
    });

    add_test(*campaign, exit_code);
    add_step(*campaign, exit_code, "seal",
             "Close the waves added so far, and count their people: waits until that is done, prints what an approver "
             "sees",
             "  semel campaign seal c-abcdefghijklmnop");
    add_approve(*campaign, exit_code);
    add_step(*campaign, exit_code, "launch", "Send to the approved waves",
             "  semel campaign launch c-abcdefghijklmnop");
    add_step(*campaign, exit_code, "pause", "Stop sending within seconds; `resume` goes on",
             "  semel campaign pause c-abcdefghijklmnop");
    add_step(*campaign, exit_code, "resume", "Go on after a pause", "  semel campaign resume c-abcdefghijklmnop");
    add_step(*campaign, exit_code, "cancel", "Stop for ever: what is not sent yet fails as semel:cancelled",
             "  semel campaign cancel c-abcdefghijklmnop");

    auto how = std::make_shared<watching>();
    auto* status_command = subcommand(
        *campaign, "status", "Counts, rates and the forecast of the finish",
        "  semel campaign status c-abcdefghijklmnop --watch\n\n--watch ends when the campaign is finished or "
        "cancelled.");
    add_common(*status_command, how);
    add_id(*status_command, how->id);
    status_command->add_flag("--watch", how->watch, "Look every second until the campaign is over");
    status_command->callback(
        [how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return status(s, *how); }); });
    add_report(*campaign, exit_code);
}

} // namespace semel::cli::campaign
