#include "content.hpp"

#include "email_message.hpp"
#include "slots.hpp"
#include "sms_text.hpp"
#include "utf8.hpp"

#include <base/ascii.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace semel::notice {
namespace {

constexpr std::string_view test_mark = "[TEST] ";
constexpr std::size_t longest_message_id = 500; // a line has 998

void append_escaped(std::string& out, std::string_view clean, v1::Piece::Escape escape) {
    switch (escape) {
    case v1::Piece::HTML:
        append_html_escaped(out, clean);
        break;
    case v1::Piece::JSON:
        append_json_escaped(out, clean);
        break;
    default:
        out += clean; // a header is encoded as a whole, later
    }
}

/// What a slot stands for in this message; the defaults were chosen when the notice was compiled.
class filling {
  public:
    explicit filling(const values& v)
        : delivery_(*v.delivery)
        , test_(v.test)
        , idem_(base::to_hex(v.notification))
        , verification_(v.verification) {}

    template <class Pieces>
    std::string operator()(const Pieces& pieces) const {
        std::string out;
        std::size_t literals = 0;
        for (const auto& piece : pieces) {
            literals += piece.literal().size();
        }
        out.reserve(literals + 32 * static_cast<std::size_t>(pieces.size()));
        for (const auto& piece : pieces) {
            out += piece.literal();
            if (!piece.slot().empty()) {
                append_slot(out, piece);
            }
        }
        return out;
    }

  private:
    void append_slot(std::string& out, const v1::Piece& piece) const {
        if (piece.slot() == slot_idem) {
            out += idem_;
        } else if (piece.slot() == slot_test_mark) {
            out += test_ ? test_mark : std::string_view{};
        } else if (piece.slot() == slot_verification) {
            out += verification_; // letters, digits and hyphens: the same in every escape
        } else {
            append_escaped(out, value_of(piece), piece.escape());
        }
    }

    std::string value_of(const v1::Piece& piece) const {
        std::string value;
        if (piece.slot() == slot_name) {
            value = clean_value(delivery_.name());
        } else if (const auto it = delivery_.slots().find(piece.slot()); it != delivery_.slots().end()) {
            value = clean_value(it->second);
        }
        const bool blank = value.find_first_not_of(' ') == std::string::npos;
        return blank ? clean_value(piece.slot_default()) : value;
    }

    const v1::Delivery& delivery_;
    bool test_;
    std::string idem_;
    std::string_view verification_;
};

crypto::digest digest_of(const std::vector<std::string>& parts) {
    crypto::hasher hasher;
    for (const auto& part : parts) {
        const auto size = static_cast<std::uint32_t>(part.size());
        const std::array<char, 4> prefix{static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                                         static_cast<char>(size >> 8), static_cast<char>(size)};
        hasher.update({prefix.data(), prefix.size()}).update(part);
    }
    return hasher.finish();
}

/// The address for the To header: with the domain's A-labels unless the local part needs SMTPUTF8 anyway.
std::string header_address(const v1::Address& address) {
    const std::string_view given = address.given();
    const std::string_view canonical = address.canonical();
    const auto given_at = given.rfind('@');
    const auto canonical_at = canonical.rfind('@');
    if (base::is_ascii(given) || given_at == given.npos || canonical_at == canonical.npos ||
        !base::is_ascii(given.substr(0, given_at)) || !base::is_ascii(canonical.substr(canonical_at))) {
        return std::string{given};
    }
    return std::string{given.substr(0, given_at)} + std::string{canonical.substr(canonical_at)};
}

/// The ids of the mails before this one. What is not one is left out: the mail is more than its place in a thread.
std::vector<std::string> thread_of(const v1::Delivery& delivery) {
    const auto is_id = [](const std::string& id) {
        return id.size() > 4 && id.size() <= longest_message_id && id.starts_with('<') && id.ends_with('>') &&
               std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f; });
    };
    std::vector<std::string> out;
    std::ranges::copy_if(delivery.thread(), std::back_inserter(out), is_id);
    return out;
}

base::result<content> fill_email(const v1::EmailArtifact& artifact, const values& v) {
    const auto to = header_address(v.delivery->address());
    if (auto fit = fit_for_header(to); !fit) {
        return base::failed(fit.error());
    }
    const filling fill{v};
    const auto subject = (v.test ? std::string{test_mark} : std::string{}) + fill(artifact.subject());
    const auto text = fill(artifact.text());
    const auto html = fill(artifact.html());
    const auto date = base::to_rfc5322(v.planned_at);
    const auto message_id = message_id_of(v.notification, artifact.from_address());
    const auto thread = thread_of(*v.delivery);
    const auto boundary = "semel_" + base::to_hex(base::as_view(v.notification).substr(0, 16));
    content out;
    out.sender = artifact.from_address();
    auto message = assemble({.from_name = artifact.from_name(),
                             .from_address = artifact.from_address(),
                             .to = to,
                             .subject = clean_value(subject),
                             .date = date,
                             .message_id = message_id,
                             .language = artifact.language(),
                             .boundary = boundary,
                             .text = text,
                             .html = html,
                             .thread = thread});
    if (!message) {
        return base::failed(message.error());
    }
    out.parts.push_back(std::move(*message));
    return out;
}

/// FCM's android.ttl; without an end FCM keeps a message for its own four weeks.
std::string fcm_lifetime(const values& v) {
    if (!v.give_up) {
        return {};
    }
    const auto left = std::chrono::floor<std::chrono::seconds>(*v.give_up - v.planned_at).count();
    return fmt::format(R"("ttl":"{}s",)", std::clamp<std::int64_t>(left, 0, 2'419'200));
}

base::result<content> fill_push(const v1::PushArtifact& artifact, const values& v) {
    const auto& address = v.delivery->address();
    const filling fill{v};
    std::string body;
    std::size_t counted = 0;
    if (address.transport() == "apns") {
        body = fill(artifact.apns_json());
        counted = body.size();
    } else if (address.transport() == "fcm") {
        const auto message = fill(artifact.fcm_json());
        const auto idem = base::to_hex(v.notification);
        body = R"({"message":{"token":")";
        append_json_escaped(body, address.given());
        // collapse key and tag: a message sent again replaces itself on the device
        body += fmt::format(R"(","android":{{"priority":"HIGH",{}"collapse_key":"{}","notification":{{"tag":"{}"}}}},)"
                            R"("apns":{{"headers":{{"apns-collapse-id":"{}"}}}},)",
                            fcm_lifetime(v), idem, idem, idem);
        body += std::string_view{message}.substr(1); // the object goes on after its brace
        body += '}';
        counted = message.size();
    } else {
        return base::failed(base::fault::kind::permanent, "the push token names no known transport; write it as "
                                                          "apns:TOKEN or fcm:TOKEN in the audience");
    }
    if (counted > most_push_bytes) {
        return base::failed(
            base::fault::kind::permanent,
            fmt::format("the push payload has {} bytes with this recipient's values, and {} are allowed; "
                        "shorten the body or the slots' values",
                        counted, most_push_bytes));
    }
    content out;
    out.parts.push_back(std::move(body));
    return out;
}

base::result<content> fill_sms(const v1::SmsArtifact& artifact, const values& v) {
    const filling fill{v};
    const auto text = (v.test ? std::string{test_mark} : std::string{}) + fill(artifact.text());
    const auto parts = count_sms_parts(text);
    if (parts > std::min<std::size_t>(artifact.max_parts(), most_sms_parts)) {
        return base::failed(
            base::fault::kind::permanent,
            fmt::format("the SMS needs {} parts with this recipient's values, and {} are allowed; shorten "
                        "the text or raise sms.max_parts in notice.yaml",
                        parts, artifact.max_parts()));
    }
    auto message = encode_sms(text, v.notification.value()[0]);
    content out;
    out.data_coding = message->data_coding();
    out.parts = std::move(message->parts);
    out.sender = artifact.source_address();
    return out;
}

base::result<content> fill_any(const v1::Artifact& artifact, const values& v) {
    if (v.delivery == nullptr) {
        return base::failed(base::fault::kind::broken,
                            "fill() was called without a delivery; this is a bug in the caller");
    }
    if (v.verification.empty() && shows_verification(artifact)) {
        return base::failed(base::fault::kind::broken,
                            "the text shows its verification code, and none was given; this is a bug in the caller");
    }
    switch (artifact.content_case()) {
    case v1::Artifact::kEmail:
        return fill_email(artifact.email(), v);
    case v1::Artifact::kPush:
        return fill_push(artifact.push(), v);
    case v1::Artifact::kSms:
        return fill_sms(artifact.sms(), v);
    default:
        return base::failed(base::fault::kind::malformed, "the artifact has no content; compile the notice again");
    }
}

} // namespace

base::result<content> fill(const v1::Artifact& artifact, const values& v) {
    auto out = fill_any(artifact, v);
    if (out) {
        out->sha256 = digest_of(out->parts);
    }
    return out;
}

bool shows_verification(const v1::Artifact& artifact) {
    const auto in = [](const auto& pieces) {
        return std::ranges::any_of(pieces, [](const v1::Piece& p) { return p.slot() == slot_verification; });
    };
    const auto& email = artifact.email();
    return in(email.subject()) || in(email.text()) || in(email.html()) || in(artifact.push().apns_json()) ||
           in(artifact.push().fcm_json()) || in(artifact.sms().text());
}

std::string message_id_of(const base::notification_id& notification, std::string_view sender_address) {
    const auto at = sender_address.rfind('@');
    return fmt::format("<{}@{}>", base::to_hex(notification),
                       at == sender_address.npos ? sender_address : sender_address.substr(at + 1));
}

} // namespace semel::notice
