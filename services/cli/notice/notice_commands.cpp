#include "notice_commands.hpp"

#include <base/bytes.hpp>
#include <http/json.hpp>
#include <notice/check.hpp>
#include <notice/compile.hpp>
#include <notice/locale.hpp>
#include <notice/preview.hpp>
#include <notice/slots.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

namespace semel::cli {
namespace {

namespace fs = std::filesystem;

template <class List, class Convert>
json::array list_of(const List& list, Convert convert) {
    json::array out;
    for (const auto& item : list) {
        out.emplace_back(convert(item));
    }
    return out;
}

json::object to_json(const notice::problem& p) {
    return {{"file", p.file}, {"line", p.line}, {"severity", notice::to_string(p.how_bad)},
            {"id", p.id},     {"law", p.law},   {"reason", p.reason},
            {"mend", p.mend}};
}

json::object to_json(const notice::pack_answer& a) {
    return {{"pack", a.pack}, {"law", a.law}, {"answer", notice::to_string(a.standing)}, {"why", a.why}};
}

// "Not triggered" is not "passed", so each pack that asked nothing says so.
void print(std::ostream& out, const std::vector<notice::pack_answer>& answers) {
    for (const auto& a : answers) {
        if (a.standing != notice::standing::applies) {
            fmt::print(out, "{} ({}): {}: {}\n", a.pack, a.law, notice::to_string(a.standing), a.why);
        }
    }
}

void print(std::ostream& out, const std::string& folder, const std::vector<notice::problem>& problems) {
    for (const auto& p : problems) {
        fmt::print(out, "{}/{}\n", folder, notice::to_text(p));
    }
}

std::string count(std::size_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::optional<notice::files> load(const std::string& folder, std::ostream& err) {
    auto files = notice::load_folder(folder);
    if (!files) {
        fmt::print(err, "{}\n", files.error().why());
        return std::nullopt;
    }
    return std::move(*files);
}

} // namespace

int run(const notice_check& command, std::ostream& out, std::ostream& err) {
    const auto files = load(command.folder, err);
    if (!files) {
        return 1;
    }
    const auto checked = notice::check(*files);
    const auto digest = notice::digest_of(*files);
    const auto artifacts = checked.ok() ? notice::compile(checked.source, digest).size() : 0;
    const auto of = [&](notice::severity how_bad) {
        return static_cast<std::size_t>(std::ranges::count(checked.problems, how_bad, &notice::problem::how_bad));
    };
    const auto errors = of(notice::severity::error), findings = of(notice::severity::finding);
    const auto warnings = of(notice::severity::warning);
    if (command.json) {
        const auto text = [](const std::string& t) -> const std::string& { return t; };
        const json::object all{
            {"ok", checked.ok()},
            {"digest", base::to_hex(base::as_view(digest))},
            {"packs", list_of(checked.answers, [](const notice::pack_answer& a) { return to_json(a); })},
            {"locales", list_of(checked.source.locales, text)},
            {"channels", list_of(checked.source.channels, [](base::channel c) { return base::to_string(c); })},
            {"segments", list_of(checked.source.segments, text)},
            {"artifacts", artifacts},
            {"problems", list_of(checked.problems, [](const notice::problem& p) { return to_json(p); })}};
        fmt::print(out, "{}\n", json::serialize(all));
        return checked.ok() ? 0 : 1;
    }
    print(out, command.folder, checked.problems);
    print(out, checked.answers);
    if (!checked.ok()) {
        fmt::print(out, "{}, {} and {}: this notice cannot be sent\n", count(errors, "error"),
                   count(findings, "finding"), count(warnings, "warning"));
        return 1;
    }
    if (findings != 0) {
        fmt::print(out,
                   "{}: an approver must accept each by its rule (`semel campaign approve --help`), or the text "
                   "changes\n",
                   count(findings, "finding"));
    }
    fmt::print(out, "ready to send: {}, {}, {}, {}\n", count(checked.source.locales.size(), "locale"),
               count(checked.source.channels.size(), "channel"), count(artifacts, "artifact"),
               count(warnings, "warning"));
    return 0;
}

namespace {

/// The channel and the segments that are asked for; says in `err` what the notice does not have.
struct choice {
    base::channel channel;
    std::uint32_t segments = 0;
};
std::optional<choice> choice_of(const notice_preview& command, const notice::notice_source& source, std::ostream& err) {
    const auto channel = base::channel_from(command.channel);
    if (!channel || std::ranges::find(source.channels, *channel) == source.channels.end()) {
        fmt::print(err, "the notice has no {} text; choose a channel that has a file in {}\n", command.channel,
                   command.folder);
        return std::nullopt;
    }
    choice made{.channel = *channel};
    for (const auto& name : command.segments) {
        const auto it = std::ranges::find(source.segments, name);
        if (it == source.segments.end()) {
            fmt::print(err, "the notice has no segment {}; it has: {}\n", name, fmt::join(source.segments, ", "));
            return std::nullopt;
        }
        made.segments |= 1U << (it - source.segments.begin());
    }
    if (command.supplement && made.segments == 0) {
        fmt::print(err, "a supplement says what a segment adds; name one with --segment\n");
        return std::nullopt;
    }
    return made;
}

/// Somebody who gets it, with the slots as the command fills them.
v1::Delivery example(const notice_preview& command, base::channel channel) {
    v1::Delivery delivery;
    delivery.mutable_address()->set_given(channel == base::channel::email ? "recipient@example.com" : "RECIPIENT");
    for (const auto& [name, value] : command.slots) {
        if (name == notice::slot_name) {
            delivery.set_name(value);
        } else {
            (*delivery.mutable_slots())[name] = value;
        }
    }
    return delivery;
}

bool write_files(const notice::preview& shown, const std::string& folder, std::ostream& err) {
    std::error_code error;
    fs::create_directories(folder, error);
    for (const auto& file : shown.files) {
        std::ofstream to{fs::path{folder} / file.name, std::ios::binary};
        if (!(to << file.bytes) || !to.flush()) {
            fmt::print(err, "cannot write {} into {}; check that it is a folder you may write to\n", file.name, folder);
            return false;
        }
    }
    return true;
}

} // namespace

int run(const notice_preview& command, std::ostream& out, std::ostream& err) {
    const auto files = load(command.folder, err);
    if (!files) {
        return 1;
    }
    const auto checked = notice::check(*files);
    if (!checked.ok()) {
        print(err, command.folder, checked.problems);
        return 1;
    }
    const auto& source = checked.source;
    const auto wanted = choice_of(command, source, err);
    if (!wanted) {
        return 2;
    }
    const auto locale = notice::resolve_locale(command.locale, source.locales, source.fallback, source.default_locale);
    const auto artifact = notice::compile_one(source, notice::digest_of(*files), locale, wanted->channel,
                                              wanted->segments, command.supplement);
    const auto delivery = example(command, wanted->channel);
    const auto shown = notice::render_preview(artifact, {.campaign = {},
                                                         .notification = {},
                                                         .planned_at = base::now(),
                                                         .delivery = &delivery,
                                                         .test = false,
                                                         .give_up = std::nullopt,
                                                         .verification = std::string{notice::verification_sample}});
    if (!shown) {
        fmt::print(err, "{}\n", shown.error().why());
        return 1;
    }
    if (!command.out_folder.empty() && !write_files(*shown, command.out_folder, err)) {
        return 1;
    }
    if (command.json) {
        const json::object all{{"channel", command.channel},
                               {"locale", locale},
                               {"summary", shown->summary},
                               {"files", list_of(shown->files, [](const auto& file) { return file.name; })}};
        fmt::print(out, "{}\n", json::serialize(all));
    } else {
        fmt::print(out, "{}", shown->summary);
    }
    return 0;
}

void add_notice_commands(CLI::App& program, int& exit_code) {
    auto* notice = program.add_subcommand("notice", "Check a notice folder, and see what people will get");
    notice->require_subcommand(1);

    // Every command takes --dir, so that a script may give it to all of them.
    auto no_stack = std::make_shared<std::string>();
    const auto add_dir = [no_stack](CLI::App& command) {
        command.add_option("--dir", *no_stack, "Not used: a notice needs no stack");
    };

    auto check = std::make_shared<notice_check>();
    auto* check_app =
        notice->add_subcommand("check", "Say what is wrong with a notice, with file, line and how to mend it");
    check_app->add_option("DIR", check->folder, "The folder with notice.yaml")->required();
    check_app->add_flag("--json", check->json, "One JSON document on standard output");
    check_app->footer(
        "Example:\n  semel notice check notices/follow-up\n\n"
        "Exit 0: it may be sent (warnings are for you to judge). Exit 1: each line says file:line: reason.");
    add_dir(*check_app);
    check_app->callback([no_stack, check, &exit_code] { exit_code = run(*check, std::cout, std::cerr); });

    auto preview = std::make_shared<notice_preview>();
    auto pairs = std::make_shared<std::vector<std::string>>();
    auto* preview_app = notice->add_subcommand("preview", "Show a message as its reader gets it");
    preview_app->add_option("DIR", preview->folder, "The folder with notice.yaml")->required();
    preview_app->add_option("--channel", preview->channel, "email, push or sms")
        ->required()
        ->check(CLI::IsMember({"email", "push", "sms"}));
    preview_app->add_option("--locale", preview->locale, "The reader's locale; fallbacks apply, as in a campaign")
        ->required();
    preview_app->add_option("--segment", preview->segments, "A segment the reader belongs to; may be repeated")
        ->allow_extra_args(false);
    preview_app->add_option("--slot", *pairs, "NAME=VALUE; slots not named take their defaults")
        ->allow_extra_args(false);
    preview_app->add_flag("--supplement", preview->supplement,
                          "The message that says only what the segments add, for somebody told earlier");
    preview_app->add_option("--out", preview->out_folder, "Also write the exact bytes there");
    preview_app->add_flag("--json", preview->json, "One JSON document on standard output");
    preview_app->footer("Example:\n  semel notice preview notices/follow-up --channel email --locale ko "
                        "--segment entrance_code --slot name=Kim --out /tmp/preview");
    add_dir(*preview_app);
    preview_app->callback([no_stack, preview, pairs, &exit_code] {
        for (const auto& pair : *pairs) {
            const auto at = pair.find('=');
            if (at == std::string::npos || at == 0) {
                throw CLI::ValidationError{"--slot", "write it as NAME=VALUE"};
            }
            preview->slots[pair.substr(0, at)] = pair.substr(at + 1);
        }
        exit_code = run(*preview, std::cout, std::cerr);
    });
}

} // namespace semel::cli
