#include "preview.hpp"

#include "sms_text.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace semel::notice {
namespace {

std::string without_cr(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c != '\r'; });
    return out;
}

// The bodies of a message that assemble() wrote: two base64 parts in a known order.
std::string body_of(std::string_view message, std::string_view type) {
    const auto part = message.find(fmt::format("Content-Type: {};", type));
    const auto start = message.find("\r\n\r\n", part) + 4;
    auto lines = std::string{message.substr(start, message.find("\r\n--", start) - start)};
    std::erase_if(lines, [](char c) { return c == '\r' || c == '\n'; });
    return base::from_base64(lines).value_or("");
}

std::string headers_of(std::string_view message) {
    return without_cr(message.substr(0, message.find("\r\n\r\n"))) + '\n';
}

preview of_email(const content& c) {
    const auto& message = c.parts.front();
    const auto text = body_of(message, "text/plain");
    return {.summary = headers_of(message) + '\n' + without_cr(text),
            .files = {{"message.eml", message}, {"text.txt", text}, {"message.html", body_of(message, "text/html")}}};
}

preview of_sms(const content& c) {
    const sms_message message{.alphabet = c.data_coding == 0 ? sms_alphabet::gsm7 : sms_alphabet::ucs2,
                              .parts = c.parts};
    const auto text = decode_sms(message).value_or("");
    preview out{.summary = fmt::format("{} in {} part{}, from {}\n\n{}\n", c.data_coding == 0 ? "GSM-7" : "UCS-2",
                                       c.parts.size(), c.parts.size() == 1 ? "" : "s", c.sender, text),
                .files = {{"text.txt", text + "\n"}}};
    for (std::size_t i = 0; i < c.parts.size(); ++i) {
        out.files.push_back({fmt::format("part-{}.hex", i + 1), base::to_hex(c.parts[i]) + "\n"});
    }
    return out;
}

base::result<preview> of_push(const v1::Artifact& artifact, values v) {
    preview out;
    const auto& delivery = *v.delivery;
    for (const std::string transport : {"apns", "fcm"}) {
        if (!delivery.address().transport().empty() && delivery.address().transport() != transport) {
            continue;
        }
        auto one = delivery;
        one.mutable_address()->set_transport(transport);
        v.delivery = &one;
        const auto filled = fill(artifact, v);
        if (!filled) {
            return base::failed(filled.error());
        }
        out.summary += fmt::format("{}, {} bytes\n{}\n", transport, filled->parts[0].size(), filled->parts[0]);
        out.files.push_back({transport + ".json", filled->parts[0]});
    }
    return out;
}

} // namespace

base::result<preview> render_preview(const v1::Artifact& artifact, const values& v) {
    if (artifact.has_push() && v.delivery != nullptr) {
        return of_push(artifact, v);
    }
    const auto filled = fill(artifact, v);
    if (!filled) {
        return base::failed(filled.error());
    }
    return artifact.has_email() ? of_email(*filled) : of_sms(*filled);
}

} // namespace semel::notice
