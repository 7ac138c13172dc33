// `semel keys`: new key-encryption keys, and the way from one to the next while everything runs (docs/operations.md).

#include "commands.hpp"

#include <base/bytes.hpp>
#include <crypto/key_ring.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <filesystem>

namespace semel::cli::campaign {
namespace {

struct key_options : common_options {
    std::string file;
};

int show(const base::result<json::value>& keys, const key_options& how) {
    if (!keys) {
        return fail(keys.error());
    }
    if (how.json || !keys->is_object()) {
        print_json(*keys);
    } else {
        fmt::print("{}", keys_text(keys->get_object()));
    }
    return keys->is_object() && keys->get_object().contains("failed") &&
                   !keys->get_object().at("failed").as_array().empty()
               ? 1
               : 0;
}

int make_key(const std::filesystem::path& file) {
    if (const auto made = crypto::make_key_file(file); !made) {
        return fail(made.error());
    }
    fmt::print("{}: a new key, which only its owner can read. Put it into the list `keys` of every service's "
               "semel.yaml, behind the present one; then before it; then `semel keys rotate`\n",
               file.string());
    return 0;
}

int retire(session& s, const key_options& how) {
    const auto ring = crypto::key_ring::load({std::filesystem::path{how.file}});
    if (!ring) {
        return fail(ring.error());
    }
    const auto id = base::to_hex(base::as_view(ring->writing()));
    const auto keys = s.get("/v1/keys");
    if (!keys) {
        return fail(keys.error());
    }
    const auto& o = keys->get_object();
    const auto refuse = [&](const std::string& why) {
        return fail({base::fault::kind::permanent, fmt::format("{} (key {}): {}", how.file, id, why)});
    };
    for (const auto& key : o.at("keys").as_array()) {
        if (text_of(key.as_object(), "id") != id) {
            continue;
        }
        if (text_of(key.as_object(), "state") == "writes") {
            return refuse("it is the one that writes: put another before it in the list `keys`");
        }
        if (const auto n = number_of(key.as_object(), "campaigns"); n > 0) {
            return refuse(fmt::format("{} campaigns lie under it: `semel keys rotate` first", n));
        }
    }
    if (const auto n = number_of(o, "campaigns_under_other_keys"); n > 0) {
        return refuse(fmt::format("{} campaigns lie under keys that are not in the list, maybe under it: put it back "
                                  "into `keys` first",
                                  n));
    }
    if (const auto n = number_of(o, "campaigns_under_unnamed_keys"); n > 0) {
        return refuse(
            fmt::format("{} campaigns were wrapped by an older version, maybe under it: `semel keys rotate` first", n));
    }
    if (const auto done = crypto::retire_key_file(how.file); !done) {
        return fail(done.error());
    }
    fmt::print("{}: retired. It opens no campaign any more; it only tells that records from its time are genuine. Let "
               "it stand in the list until every campaign from its time is closed\n",
               how.file);
    return 0;
}

} // namespace

void add_key_commands(CLI::App& program, int& exit_code) {
    auto* keys = program.add_subcommand("keys", "The keys that everything is sealed and authenticated under");
    keys->require_subcommand(1);
    auto how = std::make_shared<key_options>();

    auto* list = keys->add_subcommand("list", "Which there are, and how many campaigns lie under each");
    list->footer("Example:\n  semel keys list");
    add_common(*list, how);
    list->callback([how, &exit_code] {
        exit_code = with_session(*how, [&](session& s) { return show(s.get("/v1/keys"), *how); });
    });

    auto* rotate = keys->add_subcommand("rotate", "Wrap every campaign's key anew, under the key that writes");
    rotate->footer("Example:\n  semel keys new .semel/config/kek-2\n"
                   "  # semel.yaml: keys: [kek-2, kek] instead of key_encryption_key_file\n"
                   "  semel keys rotate\n  semel keys retire .semel/config/kek\n\n"
                   "Campaigns go on meanwhile, and no service is restarted.");
    add_common(*rotate, how);
    rotate->callback([how, &exit_code] {
        exit_code = with_session(*how, [&](session& s) { return show(s.post("/v1/keys/rotate"), *how); });
    });

    auto* fresh = keys->add_subcommand("new", "Make a key, in a file of its own");
    fresh->footer("Example:\n  semel keys new .semel/config/kek-2");
    fresh->add_option("FILE", how->file, "Must not be there yet")->required();
    fresh->callback([how, &exit_code] { exit_code = make_key(how->file); });

    auto* old = keys->add_subcommand("retire", "Destroy what of a key opens campaigns; leave what knows old records");
    old->footer(
        "Example:\n  semel keys retire .semel/config/kek\n\nIt is refused while a campaign lies under the key.");
    add_common(*old, how);
    old->add_option("FILE", how->file, "The key's file")->required();
    old->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return retire(s, *how); }); });
}

} // namespace semel::cli::campaign
