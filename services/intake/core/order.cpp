#include "order.hpp"

#include <address/address.hpp>
#include <crypto/keys.hpp>
#include <notice/locale.hpp>

#include <algorithm>
#include <utility>

namespace semel::intake {
namespace {

constexpr std::size_t most_segments = 32; // bits of Recipient.segments

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

} // namespace

base::result<order> read_order(const v1::ImportOrder& from, const crypto::key_ring& keys) {
    order out;
    if (!audience::is_plain_id(from.campaign_id()) || from.upload() == 0) {
        return refused("the order names no campaign or no upload");
    }
    out.campaign = base::campaign_id{from.campaign_id()};
    out.number = from.upload();
    const auto format = audience::format_from(from.format());
    if (!format) {
        return refused("the format is neither csv nor ndjson: say --format csv or --format ndjson");
    }
    out.format = *format;
    if (!from.file_digest().empty()) {
        out.file_digest = base::as_array<32>(from.file_digest());
        if (!out.file_digest) {
            return refused("the order's file digest is not a SHA-256");
        }
    }
    if (from.wrapped_key().empty()) {
        return refused("the campaign's key was destroyed: nothing can be imported any more");
    }
    auto key = keys.unwrap(from.wrapped_key(), out.campaign);
    if (!key) {
        return base::failed(key.error().within("the campaign's key"));
    }
    out.key = *key;
    if (!from.default_region().empty() && !address::is_known_region(from.default_region())) {
        return refused("the campaign's default region is not an ISO 3166 country code that has phone numbers");
    }
    if (from.segment_names_size() > static_cast<int>(most_segments)) {
        return refused("the notice has more than 32 segments");
    }
    out.terms.default_region = from.default_region();
    out.terms.segment_names.assign(from.segment_names().begin(), from.segment_names().end());
    out.terms.slot_names.assign(from.slot_names().begin(), from.slot_names().end());
    out.terms.accept_unreachable = from.accept_unreachable();
    if (from.channels_size() != 0) { // else the order was written by a version that did not say
        out.terms.channels = audience::channels_of(from.channels());
    }
    out.terms.locale =
        [locales = std::vector<std::string>(from.locales().begin(), from.locales().end()),
         fallback = std::map<std::string, std::string>(from.locale_fallback().begin(), from.locale_fallback().end()),
         otherwise = from.default_locale()](std::string_view wanted) {
            return notice::resolve_locale(wanted, locales, fallback, otherwise);
        };
    out.cut_after_row = from.cut_after_row();
    if (from.follow_up()) {
        out.terms = audience::for_follow_up(std::move(out.terms));
    }
    return out;
}

} // namespace semel::intake
