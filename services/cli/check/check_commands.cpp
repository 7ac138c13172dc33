#include "check_commands.hpp"

#include <http/json.hpp>
#include <kafka/logging.hpp>
#include <telemetry/log.hpp>

#include <CLI/CLI.hpp>
#include <cli/check/probe.hpp>
#include <cli/stack/backing.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

namespace semel::cli {

namespace {

struct options {
    std::filesystem::path file;
    bool as_json = false;
};

/// The clients of Kafka and Redis log as services do; here a person reads.
void hush() {
    telemetry::set_log(std::make_unique<telemetry::logger>("semel", telemetry::level::error));
    kafka::log_to([](int, std::string_view) {});
}

std::string_view word_of(const probe& one) {
    return one.outcome ? "good" : one.outcome.error().what() == base::fault::kind::unreachable ? "no answer" : "wrong";
}

void print(const config::settings& s, const std::vector<probe>& all) {
    for (const auto& one : all) {
        fmt::print("{:<10} {}\n", word_of(one), one.what);
        if (!one.outcome) {
            fmt::print("           {}: {}\n", s.place_of(one.key), one.outcome.error().why());
        }
    }
    for (const auto& open : s.unencrypted) {
        fmt::print("{:<10} {}\n", "in clear", open);
    }
    const auto bad = std::ranges::count_if(all, [](const probe& one) { return !one.outcome; });
    fmt::print("{}\n", bad == 0 ? "everything answers, and is as Semel needs it"
                                : fmt::format("{} of {} are not as they should be", bad, all.size()));
}

void print_json(const config::settings& s, const std::vector<probe>& all) {
    json::array tried;
    for (const auto& one : all) {
        tried.push_back(json::object{{"what", one.what},
                                     {"key", one.key},
                                     {"place", s.place_of(one.key)},
                                     {"state", word_of(one)},
                                     {"why", one.outcome ? "" : one.outcome.error().why()}});
    }
    const json::object whole{{"file", s.file.string()},
                             {"good", exit_code_of(all) == 0},
                             {"checks", std::move(tried)},
                             {"unencrypted", json::array(s.unencrypted.begin(), s.unencrypted.end())}};
    fmt::print("{}\n", json::serialize(whole));
}

int check_config(const options& o) {
    hush();
    const auto s = config::load(o.file);
    if (!s) {
        if (o.as_json) {
            fmt::print("{}\n", json::serialize(
                                   json::object{{"file", o.file.string()}, {"good", false}, {"why", s.error().why()}}));
        } else {
            fmt::print(stderr, "{}\n", s.error().why());
        }
        return 1;
    }
    auto all = probe_files(*s);
    std::ranges::move(probe_servers(*s, {}), std::back_inserter(all));
    o.as_json ? print_json(*s, all) : print(*s, all);
    return exit_code_of(all);
}

int prepare(const options& o) {
    hush();
    const auto s = config::load(o.file);
    if (!s) {
        fmt::print(stderr, "{}\n", s.error().why());
        return 1;
    }
    for (const auto& [server, step] :
         {std::pair{"Redis", &stack::check_redis}, std::pair{"Kafka", &stack::prepare_kafka}}) {
        if (const auto done = step(*s); !done) {
            fmt::print(stderr, "{}: {}\n", server, done.error().why());
            return done.error().what() == base::fault::kind::unreachable ? 3 : 1;
        }
    }
    std::fputs(o.as_json ? "{\"prepared\":true}\n" : "Kafka has Semel's topics and first offsets\n", stdout);
    return 0;
}

void add_file(CLI::App& command, options& into) {
    command.add_option("FILE", into.file, "A semel.yaml")->required()->check(CLI::ExistingFile);
    command.add_flag("--json", into.as_json, "Print one JSON document");
}

} // namespace

void add_check_commands(CLI::App& app, int& exit_code) {
    auto* group = app.add_subcommand("check", "Is this fit to be used? Changes nothing");
    group->require_subcommand(1);
    auto of_config = std::make_shared<options>();
    auto* config_command =
        group->add_subcommand("config", "Try every file, server and gateway that a semel.yaml names");
    add_file(*config_command, *of_config);
    config_command->footer(
        "Example:\n  semel check config /etc/semel/semel.yaml\n\nNo gateway is given a message. Exit "
        "codes: 0 all good, 1 something is wrong, 3 something did not answer.");
    config_command->callback([of_config, &exit_code] { exit_code = check_config(*of_config); });

    auto of_prepare = std::make_shared<options>();
    auto* prepare_command =
        app.add_subcommand("prepare", "Make Semel's topics and first offsets on a Kafka of your own");
    add_file(*prepare_command, *of_prepare);
    prepare_command->footer(
        "Example:\n  semel prepare /etc/semel/semel.yaml\n\nOnce, before the services start for the "
        "first time, and after an update; what exists stays. `semel up` does it for its own Kafka.");
    prepare_command->callback([of_prepare, &exit_code] { exit_code = prepare(*of_prepare); });
}

} // namespace semel::cli
