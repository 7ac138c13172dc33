#include "import.hpp"

#include <address/address.hpp>
#include <base/bytes.hpp>
#include <wire/identity.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unicode/unicode.hpp>

#include <algorithm>

namespace semel::audience {
namespace {

constexpr std::size_t longest_id_bytes = 256;
constexpr std::size_t most_tokens = 64;
constexpr std::size_t origin_columns = 2; // person_column and thread_column

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

bool has_control(std::string_view s) noexcept {
    for (const char c : s) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/// Calls f with each part between semicolons that is not blank; stops when f says false.
template <class F>
bool each_part(std::string_view list, F&& f) {
    while (!list.empty()) {
        const auto at = list.find(';');
        const auto part = unicode::trimmed(list.substr(0, at));
        list.remove_prefix(at == std::string_view::npos ? list.size() : at + 1);
        if (!part.empty() && !f(part)) {
            return false;
        }
    }
    return true;
}

} // namespace

std::optional<format> format_from(std::string_view name) noexcept {
    if (name == "csv") {
        return format::csv;
    }
    if (name == "ndjson") {
        return format::ndjson;
    }
    return std::nullopt;
}

std::vector<base::channel> channels_of(const google::protobuf::RepeatedField<int>& listed) {
    std::vector<base::channel> out;
    for (const auto channel : listed) {
        if (const auto known = wire::from_proto(static_cast<v1::Channel>(channel))) {
            out.push_back(*known);
        }
    }
    return out;
}

std::string_view to_string(effect e) noexcept {
    switch (e) {
    case effect::row_rejected:
        return "row rejected";
    case effect::address_left_out:
        return "address left out";
    case effect::kept_without_address:
        return "kept without an address";
    }
    return "";
}

std::string_view rejects_header() noexcept {
    return "line,column,reason,effect\r\n";
}

std::string to_csv(const reject& r) {
    const auto quoted = [](std::string_view text) {
        if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
            return std::string{text};
        }
        std::string out{'"'};
        for (const char c : text) {
            out += c;
            if (c == '"') {
                out += c;
            }
        }
        out += '"';
        return out;
    };
    return fmt::format("{},{},{},{}\r\n", r.line, quoted(r.column), quoted(r.reason), to_string(r.effect));
}

terms for_follow_up(terms t) {
    t.follow_up = true;
    t.slot_names.emplace_back(person_column);
    t.slot_names.emplace_back(thread_column);
    return t;
}

importer::importer(byte_stream decoded, format f, audience::terms t)
    : rows_(f == format::csv ? make_csv_reader(std::move(decoded), t.slot_names)
                             : make_ndjson_reader(std::move(decoded), t.slot_names))
    , terms_(std::move(t))
    , known_(terms_.slot_names) {}
importer::~importer() = default;
importer::importer(importer&&) noexcept = default;

void importer::complain(std::string_view column, std::string reason, effect e) {
    rejects_.push_back({row_.line, std::string{column}, std::move(reason), e});
}

void importer::address_into(v1::Recipient& out, std::string_view value, column from, bool& given) {
    given = true;
    auto made = from == col_email   ? address::email(value)
                : from == col_phone ? address::phone(value, terms_.default_region)
                                    : address::push_token(value);
    if (!made) {
        complain(column_names[from], made.error().why(), effect::address_left_out);
        ++totals_.left_out;
        return;
    }
    for (const auto& known : out.addresses()) { // the same token twice in one cell
        if (known.channel() == wire::to_proto(made->channel) && known.canonical() == made->canonical) {
            return;
        }
    }
    auto& address = *out.add_addresses();
    address.set_channel(wire::to_proto(made->channel));
    address.set_canonical(std::move(made->canonical));
    address.set_given(std::move(made->given));
    address.set_transport(std::move(made->transport));
}

bool importer::reject_row(column at, std::string reason) {
    complain(column_names[at], std::move(reason), effect::row_rejected);
    return false;
}

bool importer::is_usable() {
    const auto& values = row_.values;
    if (values[col_id].empty()) {
        return reject_row(col_id, "it is empty: every row needs an id of its own");
    }
    if (values[col_id].size() > longest_id_bytes) {
        return reject_row(col_id, "it is longer than 256 bytes");
    }
    for (const auto at : {col_id, col_locale, col_country}) {
        if (has_control(values[at])) {
            return reject_row(at, "it has a control character (a line break, a tab)");
        }
    }
    for (std::size_t at = 0; at < values.size(); ++at) { // JSON can write one as \u0000
        if (values[at].find('\0') != std::string_view::npos) {
            complain(at < col_count ? column_names[at] : std::string_view{terms_.slot_names[at - col_count]},
                     "it has a NUL byte", effect::row_rejected);
            return false;
        }
    }
    return true;
}

bool importer::read_segments(v1::Recipient& out) {
    if (terms_.any_segment) {
        return true;
    }
    std::uint32_t segments = 0;
    const bool known = each_part(row_.values[col_segments], [&](std::string_view name) {
        const auto found = std::ranges::find(terms_.segment_names, name);
        if (found == terms_.segment_names.end()) {
            return false;
        }
        segments |= std::uint32_t{1} << (found - terms_.segment_names.begin());
        return true;
    });
    out.set_segments(segments);
    return known || reject_row(col_segments, "it names a segment that the notice does not have");
}

void importer::read_texts(v1::Recipient& out) {
    const auto& values = row_.values;
    out.set_recipient_id(std::string{values[col_id]});
    if (const auto wanted = values[col_locale]; !locale_known_ || wanted != locale_asked_) {
        locale_asked_ = wanted;
        locale_answered_ = terms_.locale(wanted);
        locale_known_ = true;
    }
    out.set_locale(locale_answered_);
    out.set_name(unicode::composed(values[col_name]));
    out.set_country(std::string{values[col_country]});
    const auto slots = terms_.slot_names.size() - (terms_.follow_up ? origin_columns : 0);
    for (std::size_t i = 0; i < slots; ++i) {
        if (!values[col_count + i].empty()) {
            (*out.mutable_slots())[terms_.slot_names[i]] = unicode::composed(values[col_count + i]);
        }
    }
    if (terms_.follow_up) {
        read_origin(out);
    }
}

/// The last two values. Whoever wrote them is the api: what is not of its form is passed over, the person is told.
void importer::read_origin(v1::Recipient& out) {
    const auto person = base::from_hex(row_.values[row_.values.size() - origin_columns]);
    if (person && person->size() == sizeof(base::recipient_ref)) {
        out.set_follows(*person);
    }
    auto rest = row_.values.back();
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        if (end != 0) {
            out.add_thread(std::string{rest.substr(0, end)});
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

bool importer::read_addresses(v1::Recipient& out) {
    bool given = false;
    for (const auto at : {col_email, col_phone}) {
        if (const auto value = row_.values[at]; !value.empty()) {
            address_into(out, value, at, given);
        }
    }
    std::size_t tokens = 0;
    const bool few = each_part(row_.values[col_push], [&](std::string_view token) {
        address_into(out, token, col_push, given);
        return ++tokens < most_tokens;
    });
    if (!few) {
        return reject_row(col_push, "it has 64 tokens or more: no person has so many devices");
    }
    if (out.addresses().empty() && given) {
        rejects_.back().effect = effect::kept_without_address;
    }
    return true;
}

bool importer::read_row(v1::Recipient& out) {
    if (!is_usable() || !read_segments(out)) {
        return false;
    }
    out.set_row(totals_.rows);
    read_texts(out);
    if (!read_addresses(out)) {
        return false;
    }
    if (!reaches(out)) {
        ++totals_.unreachable;
        if (!first_unreachable_) {
            first_unreachable_ = rejects_.empty()
                                     ? reject{.line = row_.line, .column = {}, .reason = "it has no address"}
                                     : rejects_.back();
        }
    }
    return true;
}

bool importer::reaches(const v1::Recipient& who) const {
    return std::ranges::any_of(who.addresses(), [&](const v1::Address& a) {
        const auto channel = wire::from_proto(a.channel());
        return channel && std::ranges::find(terms_.channels, *channel) != terms_.channels.end();
    });
}

base::result<importer::step> importer::next(v1::Recipient& out) {
    rejects_.clear();
    const auto more = rows_->next(row_);
    if (!more) {
        return base::failed(more.error());
    }
    if (!*more) {
        return step::end;
    }
    if (totals_.rows == 0 && rows_->has_header()) {
        if (const auto ok = need_addresses(columns(), terms_.channels); !ok) {
            return base::failed(ok.error());
        }
    }
    if (totals_.rows == terms_.most_rows) {
        return refused(fmt::format("the file has more than {} rows: if that is meant, raise limits.rows in semel.yaml, "
                                   "or split the file into several waves",
                                   terms_.most_rows));
    }
    ++totals_.rows;
    out.Clear();
    bool taken = false;
    if (row_.trouble.empty()) {
        taken = read_row(out);
    } else {
        complain(row_.trouble_column, row_.trouble, effect::row_rejected);
        totals_.not_utf8 += row_.not_utf8 ? 1 : 0;
    }
    if (row_.unterminated && !rejects_.empty()) {
        return refused(fmt::format("line {}: the last line ends without a line break and is not in order ({}{}{}), so "
                                   "the file may be cut off: upload the whole file, or end it with a line break",
                                   row_.line, rejects_.front().column, rejects_.front().column.empty() ? "" : ": ",
                                   rejects_.front().reason));
    }
    if (!taken) {
        ++totals_.rejected;
        first_rejected_ = first_rejected_ ? std::move(first_rejected_) : rejects_.front();
    }
    return taken ? step::recipient : step::rejected;
}

base::result<void> importer::skip_to(std::uint64_t target) {
    while (totals_.rows < target) {
        const auto more = rows_->next(row_);
        if (!more) {
            return base::failed(more.error());
        }
        if (!*more) {
            return refused(fmt::format("the file has {} rows, not {}: it is not the file that was read before",
                                       totals_.rows, target));
        }
        ++totals_.rows;
    }
    return {};
}

std::vector<std::string> importer::warnings() const {
    auto out = warnings_about(columns(), known_, terms_.channels);
    if (const auto over = rows_->over_lines(); over.count != 0) {
        out.push_back(fmt::format("{} of {} rows run over several lines (the first is lines {} to {}): if that is not "
                                  "meant, a quote is missing there and rows are hidden in it",
                                  over.count, totals_.rows, over.first_line, over.last_line));
    }
    return out;
}

base::result<void> importer::judge_whole() const {
    const auto& t = totals_;
    if (t.rows == 0) {
        return refused("the file has no rows");
    }
    const bool most = t.not_utf8 * 2 > t.rows;
    const bool many = t.not_utf8 >= 10 && t.not_utf8 * 10 > t.rows;
    if (most || many) {
        return refused(fmt::format("{} of {} rows are not UTF-8, so the file is in another encoding: convert it (iconv "
                                   "-f CP949 -t UTF-8, for instance) and upload it again",
                                   t.not_utf8, t.rows));
    }
    const auto example = [](const reject& r) {
        return fmt::format("the first: line {}{}{}, {}", r.line, r.column.empty() ? "" : ", column ", r.column,
                           r.reason);
    };
    if (t.rejected == t.rows) {
        return refused(fmt::format("none of {} rows can be taken ({}): mend the file and upload it again", t.rows,
                                   example(*first_rejected_)));
    }
    if (const auto ok = need_addresses(columns(), terms_.channels); !ok) {
        return ok;
    }
    const auto people = t.rows - t.rejected;
    if (t.unreachable * 10 > people && !terms_.accept_unreachable) {
        std::vector<std::string_view> channels;
        std::ranges::transform(terms_.channels, std::back_inserter(channels),
                               [](base::channel c) { return base::to_string(c); });
        return refused(fmt::format("{} of {} people ({:.1f} %) have no usable address for {} ({}): nobody would tell "
                                   "them. Look at the columns and mend the file; if these people really gave no "
                                   "address, add it again with --accept-unreachable",
                                   t.unreachable, people,
                                   100.0 * static_cast<double>(t.unreachable) / static_cast<double>(people),
                                   fmt::join(channels, ", "), example(*first_unreachable_)));
    }
    return {};
}

} // namespace semel::audience
