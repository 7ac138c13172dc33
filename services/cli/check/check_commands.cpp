#include "check_commands.hpp"

#include <http/json.hpp>
#include <kafka/logging.hpp>
#include <telemetry/log.hpp>

#include <CLI/CLI.hpp>
#include <cli/check/probe.hpp>
#include <cli/check/sender.hpp>
#include <cli/stack/backing.hpp>
#include <email/core/dkim.hpp>
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

/// How one relay of semel.yaml sends in the name of a domain; a fault where a key of it is none.
base::result<sender_to_check> sender_of(const config::smtp& relay, const std::string& from_domain) {
    sender_to_check out{.from_domain = from_domain,
                        .return_path_domain = relay.return_path_domain.empty() ? from_domain : relay.return_path_domain,
                        .keys = {}};
    for (const auto& key : relay.dkim) {
        const auto signer = email::dkim_signer::from_file(key.domain, key.selector, key.key_file);
        if (!signer) {
            return base::failed(signer.error());
        }
        auto record = signer->record();
        if (!record) {
            return base::failed(record.error());
        }
        out.keys.push_back({.domain = key.domain, .name = signer->record_name(), .record = std::move(*record)});
    }
    return out;
}

void print(const std::vector<sender_finding>& all) {
    for (const auto& one : all) {
        fmt::print("{:<10} {:<6} {}\n", to_string(one.what), one.about, one.words);
        if (!one.mend.empty()) {
            fmt::print("{:<17} Mend: {}\n", "", one.mend);
        }
    }
}

json::array to_json(const std::vector<sender_finding>& all) {
    json::array out;
    for (const auto& one : all) {
        out.push_back(json::object{
            {"state", to_string(one.what)}, {"about", one.about}, {"words", one.words}, {"mend", one.mend}});
    }
    return out;
}

int check_sender(const options& o, std::string_view from) {
    hush();
    const auto s = config::load(o.file);
    if (!s) {
        fmt::print(stderr, "{}\n", s.error().why());
        return 1;
    }
    const std::string domain{from.substr(from.rfind('@') + 1)}; // an address, or its domain
    std::vector<sender_finding> all;
    json::array gateways;
    for (const auto& gateway : s->email) {
        const auto* relay = std::get_if<config::smtp>(&gateway.link);
        const auto sender =
            relay == nullptr ? base::failed(base::fault::kind::broken, "no SMTP relay") : sender_of(*relay, domain);
        if (!sender) {
            fmt::print(stderr, "{}: {}\n", gateway.name, sender.error().why());
            return 1;
        }
        const auto found = judge_sender(*sender, look_txt_up);
        if (o.as_json) {
            gateways.push_back(json::object{{"gateway", gateway.name}, {"findings", to_json(found)}});
        } else {
            fmt::print("{}, as {}\n", gateway.name, domain);
            print(found);
        }
        all.insert(all.end(), found.begin(), found.end());
    }
    if (o.as_json) {
        fmt::print("{}\n", json::serialize(json::object{{"domain", domain}, {"gateways", std::move(gateways)}}));
    } else if (s->email.empty()) {
        fmt::print("{} names no email gateway\n", o.file.string());
    }
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

    auto of_sender = std::make_shared<options>();
    auto from = std::make_shared<std::string>();
    auto* sender_command = group->add_subcommand("sender", "What receivers will think of the sender: SPF, DKIM, DMARC");
    add_file(*sender_command, *of_sender);
    sender_command->add_option("--from", *from, "The notice's sender.email, or its domain")->required();
    sender_command->footer("Example:\n  semel check sender semel.yaml --from notice@example.com\n\nBy this machine's "
                           "resolver. Exit codes: 0 nothing is wrong, 1 something is, 3 DNS did not answer.");
    sender_command->callback([of_sender, from, &exit_code] { exit_code = check_sender(*of_sender, *from); });

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
