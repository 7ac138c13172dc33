#include "compile.hpp"

#include "markdown.hpp"
#include "slots.hpp"
#include "utf8.hpp"
#include "verification.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <array>

namespace semel::notice {
namespace {

using pieces = google::protobuf::RepeatedPtrField<v1::Piece>;

std::string html_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string json_escaped(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\n");
    return from == text.npos ? std::string_view{} : text.substr(from, text.find_last_not_of(" \t\n") - from + 1);
}

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    for (const char c : text) {
        if (c == '\n') {
            out += '\r';
        }
        out += c;
    }
    return out;
}

/// Literals and open slots, neighbours joined, so that fill() copies as few pieces as there can be.
class piece_writer {
  public:
    piece_writer(pieces& out, const notice_source& source, const std::string& locale)
        : out_(out)
        , source_(source)
        , locale_(locale) {}

    void literal(std::string_view text) {
        if (text.empty()) {
            return;
        }
        if (!out_.empty() && out_.rbegin()->slot().empty()) {
            out_.rbegin()->mutable_literal()->append(text);
        } else {
            out_.Add()->set_literal(std::string{text});
        }
    }

    void known_slot(std::string_view name) { out_.Add()->set_slot(std::string{name}); }

    /// `text` with the slot marks of `slots`; its literals pass through `write`.
    template <class Write>
    void text(std::string_view text, const std::vector<std::string>& slots, v1::Piece::Escape escape, Write write) {
        auto rest = text;
        while (!rest.empty()) {
            auto after = rest;
            const auto c = take_code_point(after);
            if (c < slot_mark || c - slot_mark >= slots.size()) {
                rest = after;
                continue;
            }
            literal(write(text.substr(0, text.size() - rest.size())));
            slot(slots[c - slot_mark], escape);
            text = rest = after;
        }
        literal(write(text));
    }

  private:
    void slot(const std::string& name, v1::Piece::Escape escape) {
        if (stands_for_code(source_, name)) {
            known_slot(slot_verification);
            return;
        }
        auto* piece = out_.Add();
        piece->set_slot(name);
        piece->set_escape(escape);
        if (const auto it = source_.slots.find(name); it != source_.slots.end()) {
            const auto value = it->second.defaults.find(locale_);
            const auto any = it->second.defaults.find("");
            if (value != it->second.defaults.end() || any != it->second.defaults.end()) {
                piece->set_slot_default(value != it->second.defaults.end() ? value->second : any->second);
            }
        }
    }

    pieces& out_;
    const notice_source& source_;
    const std::string& locale_;
};

std::string as_is(std::string_view text) {
    return std::string{text};
}

std::string_view built_in_prefix(std::string_view locale) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> words{
        {{"ko", "추가 안내:"}, {"ja", "追加のご案内:"}, {"zh", "补充通知:"}, {"en", "Additional advice:"}}};
    const auto language = locale.substr(0, locale.find('-'));
    const auto* it = std::ranges::find(words, language, &std::pair<std::string_view, std::string_view>::first);
    return it == words.end() ? words.back().second : it->second;
}

bool reads_from_the_right(std::string_view locale) {
    const auto language = locale.substr(0, locale.find('-'));
    return language == "ar" || language == "he" || language == "fa" || language == "ur";
}

class compiler {
  public:
    compiler(const notice_source& source, const std::string& locale, std::uint32_t segments, bool supplement)
        : source_(source)
        , locale_(locale)
        , supplement_(supplement) {
        for (std::size_t i = 0; i < source.segments.size(); ++i) {
            if ((segments >> i & 1) != 0) {
                on_.insert(source.segments[i]);
            }
        }
    }

    void email(v1::EmailArtifact& out) const {
        const auto flat = email_text();
        const auto body = render_markdown(flat.text);
        title_into(*out.mutable_subject(), v1::Piece::HEADER, as_is);
        writer(*out.mutable_text()).text(body.text, flat.slots, v1::Piece::NONE, with_crlf);
        auto html = writer(*out.mutable_html());
        html.literal(
            with_crlf(fmt::format("<!DOCTYPE html>\n<html lang=\"{0}\" dir=\"{1}\">\n<head>\n<meta charset=\"utf-8\">\n"
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
                                  locale_, reads_from_the_right(locale_) ? "rtl" : "ltr")));
        title_into(*out.mutable_html(), v1::Piece::HTML, html_escaped);
        html.literal(
            with_crlf("</title>\n</head>\n<body style=\"margin:0;padding:16px;background:#ffffff;color:#1a1a1a;"
                      "font-family:sans-serif;font-size:16px;line-height:1.6\">\n"
                      "<main style=\"max-width:640px;margin:0 auto\">\n"));
        html.text(body.html, flat.slots, v1::Piece::HTML, with_crlf);
        html.literal(with_crlf("</main>\n</body>\n</html>\n"));
        out.set_from_name(source_.sender.organisation.in(locale_));
        out.set_from_address(source_.sender.email);
        out.set_language(locale_);
    }

    void push(v1::PushArtifact& out) const {
        const auto& text = source_.texts.at({locale_, base::channel::push});
        const auto body = text_of(text.body);
        const auto title = flatten(text.title, on_);
        const auto alert = [&](piece_writer& to) {
            to.literal(R"("title":")");
            to.known_slot(slot_test_mark);
            if (supplement_) {
                to.literal(json_escaped(prefix()) + " ");
            }
            to.text(trimmed(title.text), title.slots, v1::Piece::JSON, json_escaped);
            to.literal(R"(","body":")");
            to.text(trimmed(body.text), body.slots, v1::Piece::JSON, json_escaped);
            to.literal("\"");
        };
        const auto data = [&](piece_writer& to) {
            to.literal(R"("idem":")");
            to.known_slot(slot_idem);
            to.literal("\"");
            for (const auto& [key, value] : text.data) {
                to.literal(fmt::format(R"(,"{}":"{}")", json_escaped(key), json_escaped(value)));
            }
        };
        auto apns = writer(*out.mutable_apns_json());
        apns.literal(R"({"aps":{"alert":{)");
        alert(apns);
        apns.literal(R"(},"sound":"default"},"semel":{)");
        data(apns);
        apns.literal("}}");
        auto fcm = writer(*out.mutable_fcm_json());
        fcm.literal(R"({"notification":{)");
        alert(fcm);
        fcm.literal(R"(},"data":{)");
        data(fcm);
        fcm.literal("}}");
    }

    void sms(v1::SmsArtifact& out) const {
        const auto body = text_of(source_.texts.at({locale_, base::channel::sms}).body);
        auto to = writer(*out.mutable_text());
        if (supplement_) {
            to.literal(fmt::format("[{}] {} ", source_.sender.organisation.in(locale_), prefix()));
        }
        to.text(trimmed(body.text), body.slots, v1::Piece::NONE, as_is);
        for (const char c : source_.sender.sms) {
            if ((c >= '0' && c <= '9') || c == '+') {
                out.mutable_source_address()->push_back(c);
            }
        }
        out.set_max_parts(source_.sms_max_parts);
    }

  private:
    piece_writer writer(pieces& out) const { return {out, source_, locale_}; }

    std::string_view prefix() const {
        const std::string_view own = source_.supplement_prefix.in(locale_);
        return own.empty() ? built_in_prefix(locale_) : own;
    }

    template <class Write>
    void title_into(pieces& out, v1::Piece::Escape escape, Write write) const {
        auto to = writer(out);
        if (supplement_) {
            to.literal(write(prefix()) + " ");
        }
        const auto title = flatten(source_.title.at(locale_), {});
        to.text(trimmed(title.text), title.slots, escape, write);
    }

    // A text that says nothing about these segments is sent whole: an empty supplement would help nobody.
    flat_text text_of(const nodes& body) const {
        if (supplement_) {
            auto only = flatten_sections_only(body, on_);
            if (!trimmed(only.text).empty()) {
                return only;
            }
        }
        return flatten(body, on_);
    }

    flat_text email_text() const {
        const auto& body = source_.texts.at({locale_, base::channel::email}).body;
        auto text = text_of(body);
        if (!supplement_) {
            return text;
        }
        const auto anchored = [](const std::vector<section>& all) {
            return std::ranges::find(all, "contact", &section::anchor);
        };
        const auto own = sections_of(text.text);
        const auto whole = flatten(body, on_);
        const auto all = sections_of(whole.text);
        if (const auto contact = anchored(all); contact != all.end() && anchored(own) == own.end()) {
            append(text, whole, contact->begin, contact->end);
        }
        return text;
    }

    const notice_source& source_;
    const std::string& locale_;
    bool supplement_;
    segment_set on_;
};

} // namespace

v1::Artifact compile_one(const notice_source& source, const crypto::digest& notice_digest, const std::string& locale,
                         base::channel channel, std::uint32_t segments, bool supplement) {
    v1::Artifact artifact;
    artifact.set_locale(locale);
    artifact.set_channel(static_cast<v1::Channel>(channel));
    artifact.set_segments(segments);
    artifact.set_supplement(supplement);
    artifact.set_notice_digest(std::string{base::as_view(notice_digest)});
    const compiler to{source, locale, segments, supplement};
    switch (channel) {
    case base::channel::email:
        to.email(*artifact.mutable_email());
        break;
    case base::channel::push:
        to.push(*artifact.mutable_push());
        break;
    case base::channel::sms:
        to.sms(*artifact.mutable_sms());
        break;
    }
    return artifact;
}

std::vector<compiled> compile(const notice_source& source, const crypto::digest& notice_digest) {
    std::vector<compiled> out;
    const auto add = [&](const std::string& locale, base::channel channel, std::uint32_t segments, bool supplement) {
        compiled one;
        one.artifact = compile_one(source, notice_digest, locale, channel, segments, supplement);
        one.bytes = serialize(one.artifact);
        one.ref.set_locale(locale);
        one.ref.set_channel(one.artifact.channel());
        one.ref.set_segments(segments);
        one.ref.set_supplement(supplement);
        one.ref.set_artifact(std::string{base::as_view(id_of(one.bytes))});
        out.push_back(std::move(one));
    };
    const auto sets = 1U << source.segments.size();
    for (const auto& locale : source.locales) {
        for (const auto channel : source.channels) {
            for (std::uint32_t segments = 0; segments < sets; ++segments) {
                add(locale, channel, segments, false);
                if (segments != 0) {
                    add(locale, channel, segments, true);
                }
            }
        }
    }
    return out;
}

base::artifact_id id_of(std::string_view artifact_bytes) {
    return base::artifact_id{crypto::sha256(artifact_bytes)};
}

std::string serialize(const v1::Artifact& artifact) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream{&bytes};
    google::protobuf::io::CodedOutputStream coded{&stream};
    coded.SetSerializationDeterministic(true);
    artifact.SerializeToCodedStream(&coded);
    coded.Trim();
    return bytes;
}

} // namespace semel::notice
