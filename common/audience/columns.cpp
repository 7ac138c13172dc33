#include "columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spelling/spelling.hpp>
#include <unicode/unicode.hpp>

#include <algorithm>
#include <array>

namespace semel::audience {
namespace {

constexpr std::size_t most_named = 20;

struct usual_name {
    std::string_view name; // folded
    column means;
    bool doubtful = false;
};

// A name stands here once. Another language's names are added here and nowhere else.
constexpr usual_name usual_names[] = {
    {"recipientid", col_id},
    {"recipient", col_id},
    {"수신자id", col_id},
    {"수신자번호", col_id},
    {"수신자아이디", col_id},
    {"userid", col_id, true},
    {"memberid", col_id, true},
    {"membernumber", col_id, true},
    {"customerid", col_id, true},
    {"customernumber", col_id, true},
    {"accountid", col_id, true},
    {"회원번호", col_id, true},
    {"회원id", col_id, true},
    {"회원아이디", col_id, true},
    {"고객번호", col_id, true},
    {"고객id", col_id, true},
    {"사용자id", col_id, true},
    {"이용자번호", col_id, true},

    {"email", col_email},
    {"emails", col_email},
    {"mail", col_email},
    {"emailaddress", col_email},
    {"emailaddr", col_email},
    {"emailid", col_email},
    {"mailaddress", col_email},
    {"useremail", col_email},
    {"이메일", col_email},
    {"이메일주소", col_email},
    {"메일", col_email},
    {"메일주소", col_email},
    {"전자우편", col_email},
    {"전자우편주소", col_email},
    {"전자메일", col_email},
    {"メール", col_email},
    {"メールアドレス", col_email},
    {"电子邮件", col_email},
    {"邮箱", col_email},
    {"電子郵件", col_email},
    {"courriel", col_email},
    {"emailadresse", col_email},
    {"adresseemail", col_email},
    {"correo", col_email},
    {"correoelectrónico", col_email},

    {"phone", col_phone},
    {"phones", col_phone},
    {"phonenumber", col_phone},
    {"phoneno", col_phone},
    {"telephone", col_phone},
    {"telephonenumber", col_phone},
    {"tel", col_phone},
    {"telno", col_phone},
    {"mobile", col_phone},
    {"mobilephone", col_phone},
    {"mobilenumber", col_phone},
    {"mobilephonenumber", col_phone},
    {"mobileno", col_phone},
    {"cell", col_phone},
    {"cellphone", col_phone},
    {"cellphonenumber", col_phone},
    {"handphone", col_phone},
    {"hp", col_phone, true},
    {"msisdn", col_phone},
    {"전화", col_phone},
    {"전화번호", col_phone},
    {"휴대폰", col_phone},
    {"휴대폰번호", col_phone},
    {"휴대전화", col_phone},
    {"휴대전화번호", col_phone},
    {"핸드폰", col_phone},
    {"핸드폰번호", col_phone},
    {"연락처", col_phone, true},
    {"電話番号", col_phone},
    {"携帯電話", col_phone},
    {"携帯番号", col_phone},
    {"电话", col_phone},
    {"手机", col_phone},
    {"手机号", col_phone},
    {"手机号码", col_phone},
    {"電話號碼", col_phone},
    {"telefon", col_phone},
    {"telefonnummer", col_phone},
    {"handynummer", col_phone},
    {"téléphone", col_phone},
    {"teléfono", col_phone},

    {"push", col_push},
    {"pushtoken", col_push},
    {"pushtokens", col_push},
    {"devicetoken", col_push},
    {"devicetokens", col_push},
    {"푸시", col_push},
    {"푸시토큰", col_push},
    {"기기토큰", col_push},
    {"token", col_push, true},
    {"tokens", col_push, true},

    {"locale", col_locale},
    {"language", col_locale},
    {"lang", col_locale},
    {"languagecode", col_locale},
    {"preferredlanguage", col_locale},
    {"언어", col_locale},
    {"언어코드", col_locale},
    {"로케일", col_locale},
    {"言語", col_locale},
    {"语言", col_locale},
    {"sprache", col_locale},
    {"langue", col_locale},
    {"idioma", col_locale},

    {"name", col_name},
    {"fullname", col_name},
    {"recipientname", col_name},
    {"customername", col_name},
    {"이름", col_name},
    {"성명", col_name},
    {"성함", col_name},
    {"수신자명", col_name},
    {"고객명", col_name, true},
    {"회원명", col_name, true},
    {"氏名", col_name},
    {"名前", col_name},
    {"姓名", col_name},
    {"nom", col_name},
    {"nombre", col_name},

    {"country", col_country},
    {"countrycode", col_country},
    {"국가", col_country},
    {"국가코드", col_country},
    {"나라", col_country},
    {"国", col_country},
    {"国家", col_country},
    {"pays", col_country},
    {"país", col_country},

    {"segments", col_segments},
    {"segment", col_segments},
    {"세그먼트", col_segments},
};

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

column column_of(base::channel c) noexcept {
    switch (c) {
    case base::channel::email:
        return col_email;
    case base::channel::push:
        return col_push;
    case base::channel::sms:
        break;
    }
    return col_phone;
}

/// A name inside another ("work_email") counts as the furthest slip.
std::optional<std::size_t> nearness(std::string_view name, std::string_view known) {
    constexpr std::size_t inside = 3;
    if (const auto n = spelling::nearness(name, known)) {
        return n;
    }
    return known.size() > 3 && name.contains(known) ? std::optional{inside} : std::nullopt;
}

/// "columns 2 and 5 both mean email", when they do and neither is doubtful.
base::result<void> place_once(std::vector<meaning>& meanings, std::span<const std::string_view> names,
                              const known_columns& known) {
    for (std::size_t i = 0; i < meanings.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (meanings[i].place == unused || meanings[i].place != meanings[j].place) {
                continue;
            }
            if (meanings[i].doubtful != meanings[j].doubtful) {
                meanings[meanings[i].doubtful ? i : j] = {};
                continue;
            }
            return refused(fmt::format("line 1: columns {} and {} {}: rename or remove one", j + 1, i + 1,
                                       names[i] == names[j]
                                           ? std::string{"have the same name"}
                                           : fmt::format("both mean {}", known.use_of(meanings[i].place))));
        }
    }
    return {};
}

std::unexpected<base::fault> no_id(std::span<const std::string_view> names, const known_columns& known) {
    constexpr std::array<std::pair<char, std::string_view>, 3> others{
        {{';', "semicolons"}, {'\t', "tabs"}, {'|', "bars"}}};
    for (const auto& [separator, in_words] : others) {
        for (const auto name : names) {
            if (name.contains(separator)) {
                return refused(fmt::format("line 1: the columns are separated by {}: save the file with commas between "
                                           "the columns",
                                           in_words));
            }
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!may_be_quoted(names[i])) {
            return refused(
                fmt::format("line 1, column {}: this is not a column's name but a value: the first line must "
                            "name the columns, recipient_id among them",
                            i + 1));
        }
    }
    std::string near;
    for (std::size_t i = 0; i < names.size() && near.empty(); ++i) {
        if (known.nearest(names[i]) == column_names[col_id]) {
            near = fmt::format(" (is column {} meant?)", i + 1);
        }
    }
    return refused(fmt::format("line 1: no column is called recipient_id{}: the first line must name the columns "
                               "(separated by commas), and that one is required",
                               near));
}

} // namespace

known_columns::known_columns(std::span<const std::string> slots)
    : slots_(slots.begin(), slots.end()) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        // A slot that is called like one of our columns gets that column's value elsewhere.
        if (std::ranges::find(column_names, slots_[i]) == std::end(column_names)) {
            folded_slots_.emplace(unicode::folded(slots_[i]), col_count + i);
        }
    }
}

std::string_view known_columns::name_of(std::size_t place) const {
    return place < col_count ? column_names[place] : std::string_view{slots_[place - col_count]};
}

meaning known_columns::of(std::string_view name) const {
    for (std::size_t place = 0; place < count(); ++place) {
        if (name_of(place) == name) {
            return {.place = place};
        }
    }
    const auto key = unicode::folded(name);
    if (const auto slot = folded_slots_.find(key); slot != folded_slots_.end()) {
        return {.place = slot->second};
    }
    const auto* known = std::ranges::find(usual_names, std::string_view{key}, &usual_name::name);
    return known == std::end(usual_names) ? meaning{} : meaning{.place = known->means, .doubtful = known->doubtful};
}

std::string known_columns::nearest(std::string_view name) const {
    const auto key = unicode::folded(name);
    std::string_view found;
    std::size_t best = static_cast<std::size_t>(-1);
    const auto look_at = [&](std::string_view known, std::string_view means) {
        if (const auto d = nearness(key, known); d && *d < best) {
            best = *d;
            found = means;
        }
    };
    for (const auto& s : usual_names) {
        if (!s.doubtful) {
            look_at(s.name, column_names[s.means]);
        }
    }
    for (const auto& [folded, place] : folded_slots_) {
        look_at(folded, name_of(place));
    }
    return std::string{found};
}

std::string known_columns::use_of(std::size_t place) const {
    if (place == unused || place == nameless) {
        return "unused";
    }
    return place < col_count ? std::string{column_names[place]} : "slot " + slots_[place - col_count];
}

base::result<std::vector<std::size_t>> read_header(std::span<const std::string_view> names,
                                                   const known_columns& known) {
    auto named = names.size();
    while (named > 0 && names[named - 1].empty()) {
        --named;
    }
    std::vector<meaning> meanings;
    for (std::size_t i = 0; i < named; ++i) {
        if (names[i].empty()) {
            return refused(fmt::format("line 1, column {}: the header names no column here", i + 1));
        }
        meanings.push_back(known.of(names[i]));
    }
    if (const auto once = place_once(meanings, names, known); !once) {
        return base::failed(once.error());
    }
    std::vector<std::size_t> places(names.size(), nameless);
    std::ranges::transform(meanings, places.begin(), &meaning::place);
    if (std::ranges::find(places, std::size_t{col_id}) == places.end()) {
        return no_id(names.first(named), known);
    }
    return places;
}

bool may_be_quoted(std::string_view name) {
    constexpr std::size_t longest = 64, most_digits = 4;
    const auto digits = std::ranges::count_if(name, [](char c) { return c >= '0' && c <= '9'; });
    const bool control = std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    return name.size() <= longest && static_cast<std::size_t>(digits) <= most_digits && !name.contains('@') && !control;
}

std::vector<std::string> warnings_about(std::span<const column_use> columns, const known_columns& known,
                                        std::span<const base::channel> channels) {
    std::vector<std::string> out, plain;
    for (const auto& c : columns) {
        if (c.place != unused) {
            continue;
        }
        if (const auto near = known.nearest(c.name); !near.empty() && out.size() < most_named) {
            out.push_back(fmt::format("the column \"{}\" is not used: is it meant as {}?", c.name, near));
        } else {
            plain.push_back(c.name);
        }
    }
    if (!plain.empty()) {
        const auto more = plain.size() > most_named ? fmt::format(" and {} more", plain.size() - most_named) : "";
        plain.resize(std::min(plain.size(), most_named));
        out.push_back(
            fmt::format("not used, because neither Semel nor the notice knows it: {}{}", fmt::join(plain, ", "), more));
    }
    for (const auto channel : channels) {
        const auto wanted = column_of(channel);
        if (std::ranges::find(columns, std::size_t{wanted}, &column_use::place) == columns.end()) {
            out.push_back(fmt::format("no column is {}: nobody of this file can be told by {}", column_names[wanted],
                                      base::to_string(channel)));
        }
    }
    return out;
}

base::result<void> need_addresses(std::span<const column_use> columns, std::span<const base::channel> channels) {
    std::vector<std::string_view> wanted;
    for (const auto channel : channels) {
        const auto place = column_of(channel);
        if (std::ranges::find(columns, std::size_t{place}, &column_use::place) != columns.end()) {
            return {};
        }
        wanted.push_back(column_names[place]);
    }
    std::vector<std::string_view> found;
    for (const auto& c : columns) {
        found.push_back(c.name);
    }
    return refused(fmt::format("nobody of this file could be told: no column is {}; the columns are {}: name the one "
                               "with the addresses",
                               fmt::join(wanted, " or "), fmt::join(found, ", ")));
}

} // namespace semel::audience
