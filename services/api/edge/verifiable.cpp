#include "verifiable.hpp"

#include "store.hpp"

#include <http/json.hpp>
#include <notice/source.hpp>
#include <notice/verification.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

namespace semel::api {
namespace {

bool launches(const v1::Campaign& before, const v1::Campaign& after) {
    for (int i = 0; i < after.waves_size(); ++i) {
        const bool was = i < before.waves_size() && before.waves(i).phase() == v1::WAVE_LAUNCHED;
        if (!was && after.waves(i).phase() == v1::WAVE_LAUNCHED) {
            return true;
        }
    }
    return false;
}

std::string to_json(const std::vector<std::string>& lines) {
    json::array out;
    for (const auto& line : lines) {
        out.emplace_back(line);
    }
    return json::serialize(out);
}

std::vector<std::string> lines_in(const std::string& text) {
    std::vector<std::string> out;
    const auto value = json::read(text);
    if (!value || !value->is_array()) {
        return out;
    }
    for (const auto& line : value->get_array()) {
        if (line.is_string()) {
            out.emplace_back(line.get_string());
        }
    }
    return out;
}

std::vector<std::string> contact_of(const notice::notice_source& source, const std::string& locale) {
    std::vector<std::string> out;
    for (const auto& line : {source.contact.department.in(locale), source.contact.phone, source.contact.email}) {
        if (!line.empty()) {
            out.push_back(line);
        }
    }
    return out;
}

void note(pqxx::work& tx, const v1::Campaign& c, const crypto::campaign_key& key, const notice::notice_source& source,
          const std::string& locale, base::channel channel) {
    const auto code = correlation::verification_code::of(key, base::campaign_id{c.id()}, channel, locale);
    const auto text = notice::public_text_of(source, locale, channel, code.grouped());
    tx.exec_params0(
        "INSERT INTO api.verifiable (code, campaign, channel, locale, since_us, organisation, name, heading, "
        "body, passages, contact) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO "
        "NOTHING",
        code.letters(), c.id(), std::string{base::to_string(channel)}, locale, c.planned_at_us(),
        source.sender.organisation.in(locale), text.name, text.heading, text.body, to_json(text.passages),
        to_json(contact_of(source, locale)));
}

} // namespace

void note_verifiable(pqxx::work& tx, const crypto::key_ring& keys, const v1::Campaign& before,
                     const v1::Campaign& after) {
    if (!launches(before, after)) {
        return;
    }
    const auto key = keys.unwrap(after.wrapped_key(), base::campaign_id{after.id()});
    if (!key) {
        return;
    }
    const auto stored = store::notice_of(tx, after.id());
    const auto source = notice::parse({stored.files().begin(), stored.files().end()}).source;
    for (const auto& [where, text] : source.texts) {
        if (notice::shows_code(source, where.first, where.second)) {
            note(tx, after, *key, source, where.first, where.second);
        }
    }
}

std::optional<verify_page::sent_notice> find_verifiable(pqxx::work& tx, const correlation::verification_code& code) {
    const auto rows = tx.exec_params("SELECT channel, locale, since_us, organisation, name, heading, body, passages, "
                                     "contact FROM api.verifiable WHERE code = $1 ORDER BY since_us LIMIT 1",
                                     code.letters());
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto& row = rows[0];
    const auto channel = base::channel_from(row[0].as<std::string>());
    if (!channel) {
        return std::nullopt;
    }
    return verify_page::sent_notice{.code = code.grouped(),
                                    .organisation = row[3].as<std::string>(),
                                    .channel = *channel,
                                    .locale = row[1].as<std::string>(),
                                    .since = base::from_us(row[2].as<std::int64_t>()),
                                    .name = row[4].as<std::string>(),
                                    .heading = row[5].as<std::string>(),
                                    .body = row[6].as<std::string>(),
                                    .passages = lines_in(row[7].as<std::string>()),
                                    .contact = lines_in(row[8].as<std::string>())};
}

} // namespace semel::api
