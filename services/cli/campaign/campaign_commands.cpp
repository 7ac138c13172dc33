#include "commands.hpp"

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
    add_step(*campaign, exit_code, "release", "Let the rest go, when a canary (`create --canary N`) has gone well",
             "  semel campaign release c-abcdefghijklmnop\n\n`semel campaign status` has the canary's outcomes. A "
             "campaign that is paused is resumed as well.");
    add_step(*campaign, exit_code, "pause", "Stop sending within seconds; `resume` goes on",
             "  semel campaign pause c-abcdefghijklmnop");
    add_step(*campaign, exit_code, "resume", "Go on after a pause, also of one that its own rule has halted",
             "  semel campaign resume c-abcdefghijklmnop");
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
