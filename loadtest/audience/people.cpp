#include "people.hpp"

#include <fmt/format.h>

#include <array>

namespace semel::people {
namespace {

/// What a random number is for; each person draws each of them at most once.
enum class draw : std::uint64_t {
    flaw,
    has_email,
    shares_email,
    email_owner,
    email_spelling,
    has_phone,
    shares_phone,
    phone_owner,
    phone_spelling,
    has_push,
    second_token,
    shares_token,
    token_owner,
    locale,
    name,
    odd_name,
    country,
    segment,
    overseas
};

/// splitmix64's finaliser: every bit of the input reaches every bit of the output.
std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

struct dice {
    std::uint64_t seed, index;
    std::uint64_t operator()(draw what) const {
        return mixed(mixed(seed * 0x9e3779b97f4a7c15ULL + index) +
                     static_cast<std::uint64_t>(what) * 0xd1342543de82ef95ULL);
    }
    /// True for so many of 100,000.
    bool chance(draw what, std::uint64_t of_100k) const { return (*this)(what) % 100'000 < of_100k; }
};

struct weighted {
    std::string_view what;
    unsigned weight;
};
template <std::size_t N>
std::string_view pick(const std::array<weighted, N>& from, std::uint64_t random) {
    unsigned total = 0;
    for (const auto& one : from) {
        total += one.weight;
    }
    auto left = static_cast<unsigned>(random % total);
    for (const auto& one : from) {
        if (left < one.weight) {
            return one.what;
        }
        left -= one.weight;
    }
    return from.back().what;
}

constexpr std::array domains{weighted{"mail-a.example.com", 42}, weighted{"mail-b.example.com", 30},
                             weighted{"mail-c.example.net", 10}, weighted{"mail-d.example.net", 5},
                             weighted{"mail-e.example.org", 8},  weighted{"b\u00fccher.example", 5}};
constexpr std::array locales{weighted{"ko", 9'650}, weighted{"en", 150}, weighted{"zh", 100},
                             weighted{"vi", 40},    weighted{"ja", 40},  weighted{"", 20}};
constexpr std::array countries{weighted{"KR", 9'850}, weighted{"TW", 50}, weighted{"JP", 40}, weighted{"US", 40},
                               weighted{"CN", 20}};
constexpr std::array surnames{weighted{"\uae40", 215},    weighted{"\uc774", 147}, weighted{"\ubc15", 84},
                              weighted{"\ucd5c", 47},     weighted{"\uc815", 43},  weighted{"\uac15", 23},
                              weighted{"\uc870", 21},     weighted{"\uc724", 20},  weighted{"\ub0a8\uad81", 1},
                              weighted{"\uc81c\uac08", 1}};
constexpr std::array<std::string_view, 12> syllables{"\ubbfc", "\uc9c0", "\uc11c", "\uc900", "\ud604", "\uc6b0",
                                                     "\uc740", "\ub3c4", "\ud558", "\uc724", "\uc18c", "\ucc44"};
constexpr std::array<std::string_view, 6> latin_names{"Minji Kim",    "KIM MINJI",    "Kim Min-ji",
                                                      "Alex Example", "Sam O'Sample", "Lee, Jun"};
constexpr std::array<std::string_view, 8> odd_names{"\u1100\u1175\u11b7\u1106\u1175\u11ab\u110c\u1175", // NFD
                                                    "\uae40\ubbfc\uc9c0 \U0001F600",
                                                    "Kim\u200b Min",
                                                    "\u202eijniM miK",
                                                    "<b>Kim</b>&amp;",
                                                    "Kim\r\nBcc: nobody@example.com",
                                                    "{{name}}",
                                                    "\uc3b0\ub620\ubbdc"};

/// Somebody near: families and colleagues sign up about the same time.
std::uint64_t earlier(std::uint64_t index, std::uint64_t random) {
    const auto reach = std::min<std::uint64_t>(index - 1, 1'000);
    return reach == 0 ? index : index - 1 - random % reach;
}

constexpr std::uint64_t first_number = 20'000'000; // 010-2000-0000: below, libphonenumber knows none or few
constexpr std::uint64_t most_numbers = 80'000'000;

std::string spelled_mailbox(std::uint64_t mailbox, std::uint64_t spelling, bool messy) {
    const auto domain = pick(domains, mixed(mailbox));
    std::string text = fmt::format("person.{}@{}", mailbox, domain);
    if (!messy) {
        return text;
    }
    switch (spelling % 200) {
    case 0:
        return fmt::format("Person.{}@{}", mailbox, domain);
    case 1:
        return fmt::format("PERSON.{}@{}", mailbox, domain);
    case 2:
        return " " + text + " ";
    case 3:
        if (domain == "b\u00fccher.example") {
            return fmt::format("person.{}@xn--bcher-kva.example", mailbox);
        }
        return text;
    default:
        return text;
    }
}

std::string broken_mailbox(std::uint64_t index, std::uint64_t spelling) {
    switch (spelling % 6) {
    case 0:
        return fmt::format("person.{}", index);
    case 1:
        return fmt::format("person.{}@@example.com", index);
    case 2:
        return fmt::format("person.{}\uff20example.com", index);
    case 3:
        return fmt::format("person.{}@example.com.", index);
    case 4:
        return fmt::format("\"person {}\"@example.com", index);
    default:
        return fmt::format("person..{}@example.com", index);
    }
}

std::string spelled_number(std::uint64_t number, std::uint64_t spelling, bool messy) {
    const auto digits = fmt::format("{:08}", first_number + number);
    const std::string_view a = std::string_view{digits}.substr(0, 4);
    const std::string_view b = std::string_view{digits}.substr(4);
    const auto style = spelling % 1'000;
    if (style < 620) {
        return fmt::format("010-{}-{}", a, b);
    }
    if (style < 870) {
        return fmt::format("010{}{}", a, b);
    }
    if (style < 950) {
        return fmt::format("+82 10-{}-{}", a, b);
    }
    if (!messy || style < 990) {
        return fmt::format("+8210{}{}", a, b);
    }
    switch (style % 4) {
    case 0:
        return fmt::format("010.{}.{}", a, b);
    case 1:
        return fmt::format("(010) {}-{}", a, b);
    case 2:
        return fmt::format("\uff10\uff11\uff10-{}-{}", a, b);
    default:
        return fmt::format("0082 10 {} {}", a, b);
    }
}

std::string broken_number(std::uint64_t index, std::uint64_t spelling) {
    switch (spelling % 5) {
    case 0:
        return fmt::format("02-312-{:04}", index % 10'000); // a landline
    case 1:
        return fmt::format("010-{:04}", index % 10'000);
    case 2:
        return "none";
    case 3:
        return fmt::format("010-0000-{:04} ext 7", index % 10'000);
    default:
        return "1577-1577";
    }
}

token make_token(std::uint64_t id) {
    const auto h = mixed(id ^ 0x746f6b656eULL);
    const auto part = [&](std::uint64_t n) { return fmt::format("{:016x}", mixed(h + n)); };
    if (h % 100 < 32) {
        return {id, "apns:" + part(1) + part(2) + part(3) + part(4)};
    }
    std::string text = "fcm:c" + part(1) + ":APA91b";
    for (std::uint64_t n = 2; n < 9; ++n) {
        text += part(n);
    }
    return {id, std::move(text)};
}

std::string make_name(const dice& roll, std::string_view locale) {
    const auto random = roll(draw::name);
    if (locale != "ko" && !locale.empty()) {
        return std::string{latin_names[random % latin_names.size()]};
    }
    std::string name{pick(surnames, random)};
    name += syllables[(random >> 20) % syllables.size()];
    if ((random >> 30) % 100 >= 2) {
        name += syllables[(random >> 40) % syllables.size()];
    }
    return name;
}

flaw flaw_of(const choices& how, std::uint64_t index) {
    if (!how.messy) {
        return flaw::none;
    }
    switch (dice{how.seed, index}(draw::flaw) % 5'000) {
    case 0:
        return flaw::no_id;
    case 1:
        return flaw::unknown_segment;
    case 2:
        return flaw::not_utf8;
    case 3: // only of a row that stands
        return index > 1 && flaw_of(how, index - 1) == flaw::none ? flaw::double_id : flaw::none;
    default:
        return flaw::none;
    }
}

} // namespace

person make(const choices& how, std::uint64_t index) {
    const dice roll{how.seed, index};
    person one;
    one.flaw = flaw_of(how, index);
    one.recipient_id = fmt::format("A{:09}", one.flaw == flaw::double_id ? index - 1 : index);
    one.locale = pick(locales, roll(draw::locale));
    one.country = pick(countries, roll(draw::country));
    one.name = make_name(roll, one.locale);
    if (how.messy && roll.chance(draw::odd_name, 700)) {
        const auto which = roll(draw::odd_name) / 100'000 % (odd_names.size() + 1);
        one.name = which < odd_names.size() ? std::string{odd_names[which]} : std::string(300, 'K');
    }
    one.segments = roll.chance(draw::segment, 38'000) ? "entrance_code" : "";

    if (how.email && !roll.chance(draw::has_email, 4'000)) {
        const auto spelling = roll(draw::email_spelling);
        if (how.messy && spelling / 1'000 % 1'000 < 6) {
            one.email = broken_mailbox(index, spelling);
            ++one.unusable;
        } else {
            one.mailbox = roll.chance(draw::shares_email, 3'000) ? earlier(index, roll(draw::email_owner)) : index;
            one.email = spelled_mailbox(*one.mailbox, spelling, how.messy);
        }
    }
    if (how.phone && !roll.chance(draw::has_phone, 3'000)) {
        const auto spelling = roll(draw::phone_spelling);
        if (how.messy && spelling / 1'000 % 1'000 < 12) {
            one.phone = broken_number(index, spelling);
            ++one.unusable;
        } else {
            const bool dummy = how.messy && spelling / 1'000'000 % 10'000 < 3; // typed in to get past the form
            const auto owner = roll.chance(draw::shares_phone, 6'000) ? earlier(index, roll(draw::phone_owner)) : index;
            one.number = dummy ? 0 : owner % most_numbers;
            one.phone = spelled_number(*one.number, spelling, how.messy);
        }
    }
    if (how.push && roll.chance(draw::has_push, 55'000)) {
        const auto owner = roll.chance(draw::shares_token, 2'000) ? earlier(index, roll(draw::token_owner)) : index;
        one.push.push_back(make_token(owner * 2));
        if (roll.chance(draw::second_token, 40'000)) {
            one.push.push_back(make_token(index * 2 + 1));
        }
    }

    switch (one.flaw) {
    case flaw::no_id:
        one.recipient_id.clear();
        break;
    case flaw::unknown_segment:
        one.segments = "no_such_segment";
        break;
    case flaw::not_utf8:
        one.name = "\xb1\xe8\xb9\xce\xc1\xf6";
        break; // EUC-KR
    case flaw::none:
    case flaw::double_id:
        break;
    }
    return one;
}

void oracle::see(const person& one) {
    ++rows;
    if (one.flaw == flaw::double_id) {
        ++double_ids;
    } else if (one.flaw != flaw::none) {
        ++rejected;
        return;
    }
    left_out += one.unusable;
    if (one.flaw == flaw::double_id) {
        return;
    }
    unreachable += !one.mailbox && !one.number && one.push.empty() ? 1 : 0;
    entrance_codes += one.segments.empty() ? 0 : 1;
    if (one.mailbox) {
        mailboxes.insert(*one.mailbox);
    }
    if (one.number) {
        numbers.insert(*one.number);
    }
    for (const auto& t : one.push) {
        tokens.insert(t.id);
    }
}

std::string oracle::json() const {
    return fmt::format(R"({{"rows":{},"rejected":{},"double_ids":{},"recipients":{},"unreachable":{},)"
                       R"("addresses_left_out":{},"entrance_codes":{},"distinct":{{"email":{},"sms":{},"push":{}}}}})"
                       "\n",
                       rows, rejected, double_ids, rows - rejected - double_ids, unreachable, left_out, entrance_codes,
                       mailboxes.size(), numbers.size(), tokens.size());
}

} // namespace semel::people
