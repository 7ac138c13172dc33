#include "mustache.hpp"

#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::notice {
namespace {

constexpr std::size_t deepest = 8;

bool is_name(std::string_view name) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && name.size() <= 64 && letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string_view trim(std::string_view text) noexcept {
    const auto from = text.find_first_not_of(" \t");
    return from == text.npos ? std::string_view{} : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

struct tag {
    char sigil = 0; // '#', '^', '/', '!', 0 for a slot, or the foreign one
    std::string_view name;
};

tag tag_of(std::string_view inside) noexcept {
    inside = trim(inside);
    if (!inside.empty() && std::string_view{"#^/!&>=<$."}.contains(inside.front())) {
        return {inside.front(), trim(inside.substr(1))};
    }
    return {0, inside};
}

class parser {
  public:
    parser(std::string_view text, complaints& out, int line)
        : text_(text)
        , out_(out)
        , line_(line) {
        open_.push_back({});
    }

    nodes run() {
        while (at_ < text_.size()) {
            const auto start = text_.find("{{", at_);
            literal(text_.substr(at_, start - at_));
            if (start == text_.npos) {
                break;
            }
            at_ = start;
            if (!one_tag()) {
                break;
            }
        }
        while (open_.size() > 1) {
            const auto& top = open_.back().section;
            out_.error(top.line, "unclosed-section", fmt::format("the section {{{{#{}}}}} is never closed", top.text),
                       fmt::format("add {{{{/{}}}}} where it ends", top.text));
            close();
        }
        return std::move(open_.front().children);
    }

  private:
    struct level {
        node section;
        nodes children;
    };

    void literal(std::string_view text) {
        if (text.empty()) {
            return;
        }
        auto& siblings = open_.back().children;
        if (!siblings.empty() && siblings.back().what == node::kind::text) {
            siblings.back().text += text;
        } else {
            siblings.push_back({.what = node::kind::text, .text = std::string{text}, .line = line_, .children = {}});
        }
        line_ += static_cast<int>(std::ranges::count(text, '\n'));
    }

    void close() {
        auto done = std::move(open_.back());
        open_.pop_back();
        done.section.children = std::move(done.children);
        open_.back().children.push_back(std::move(done.section));
    }

    /// False when the text cannot be read on.
    bool one_tag() {
        if (text_.substr(at_).starts_with("{{{")) {
            out_.error(line_, "triple-mustache",
                       "{{{ }}} would put a value in unescaped, and notices have no such values",
                       "write {{ }} instead");
            return false;
        }
        const auto end = text_.find("}}", at_);
        const auto inside = text_.substr(at_ + 2, end == text_.npos ? 0 : end - at_ - 2);
        const auto here = tag_of(inside);
        if (end == text_.npos || (here.sigil != '!' && inside.find_first_of("\n{") != inside.npos)) {
            out_.error(line_, "unclosed-tag", "{{ has no }} on its line", "close the tag with }}");
            return false;
        }
        const auto after = end + 2;
        const auto resume = here.sigil == 0 ? after : past_standalone_line(after);
        if (here.sigil != 0 && here.sigil != '!' && std::string_view{"#^/"}.contains(here.sigil) == false) {
            out_.error(line_, "foreign-tag",
                       fmt::format("{{{{{}...}}}} is not part of the notices' mustache", here.sigil),
                       "use only {{slot}}, {{#segment}}, {{^segment}}, {{/segment}} and {{! comment}}");
        } else if (here.sigil != '!' && !is_name(here.name)) {
            out_.error(line_, "bad-name", "a tag has no proper name",
                       "a name starts with a letter and has only letters, digits and _");
        } else {
            apply(here);
        }
        line_ += static_cast<int>(std::ranges::count(text_.substr(at_, resume - at_), '\n'));
        at_ = resume;
        return true;
    }

    void apply(const tag& here) {
        switch (here.sigil) {
        case 0:
            open_.back().children.push_back(
                {.what = node::kind::slot, .text = std::string{here.name}, .line = line_, .children = {}});
            break;
        case '#':
        case '^':
            if (open_.size() > deepest) {
                out_.error(line_, "too-deep", fmt::format("sections are nested more than {} deep", deepest),
                           "write the cases one after the other");
            } else {
                open_.push_back({.section = {.what = here.sigil == '#' ? node::kind::section : node::kind::inverted,
                                             .text = std::string{here.name},
                                             .line = line_,
                                             .children = {}},
                                 .children = {}});
            }
            break;
        case '/':
            if (open_.size() == 1) {
                out_.error(line_, "stray-close",
                           fmt::format("{{{{/{}}}}} closes a section that is not open", here.name),
                           "remove it, or open the section before");
            } else if (open_.back().section.text != here.name) {
                out_.error(line_, "crossed-sections",
                           fmt::format("{{{{/{}}}}} stands where {{{{#{}}}}} of line {} must be closed first",
                                       here.name, open_.back().section.text, open_.back().section.line),
                           "close sections in the reverse order of their opening");
                close();
            } else {
                close();
            }
            break;
        default:
            break; // a comment
        }
    }

    // A section's tag or a comment alone on its line takes the whole line with it, as mustache says.
    std::size_t past_standalone_line(std::size_t after) {
        const auto line_start = at_ == 0 ? 0 : text_.rfind('\n', at_ - 1) + 1; // npos + 1 is 0
        const auto before = text_.substr(line_start, at_ - line_start);
        const auto line_end = std::min(text_.find('\n', after), text_.size());
        if (!trim(before).empty() || !trim(text_.substr(after, line_end - after)).empty()) {
            return after;
        }
        auto& siblings = open_.back().children;
        if (!before.empty() && !siblings.empty() && siblings.back().what == node::kind::text &&
            siblings.back().text.ends_with(before)) {
            siblings.back().text.resize(siblings.back().text.size() - before.size());
        }
        return std::min(line_end + 1, text_.size());
    }

    std::string_view text_;
    complaints& out_;
    int line_;
    std::size_t at_ = 0;
    std::vector<level> open_; // the first is the text itself
};

char32_t mark_of(flat_text& text, const std::string& slot) {
    auto it = std::ranges::find(text.slots, slot);
    if (it == text.slots.end()) {
        it = text.slots.insert(it, slot);
    }
    return slot_mark + static_cast<char32_t>(it - text.slots.begin());
}

class flattener {
  public:
    explicit flattener(const segment_set& on)
        : on_(on) {}

    void all(const nodes& list) {
        for (const auto& n : list) {
            switch (n.what) {
            case node::kind::text:
                literal(n);
                break;
            case node::kind::slot:
                slot(n);
                break;
            case node::kind::section:
                if (on_.contains(n.text)) {
                    all(n.children);
                }
                break;
            case node::kind::inverted:
                if (!on_.contains(n.text)) {
                    all(n.children);
                }
                break;
            }
        }
    }

    void sections(const nodes& list) {
        for (const auto& n : list) {
            if (n.what == node::kind::section && on_.contains(n.text)) {
                all(n.children);
            } else if (n.what == node::kind::inverted && !on_.contains(n.text)) {
                sections(n.children);
            }
        }
    }

    flat_text take() { return std::move(out_); }

  private:
    void literal(const node& n) {
        int line = n.line;
        for (const char c : n.text) {
            begin_line(line);
            out_.text += c;
            if (c == '\n') {
                fresh_ = true;
                ++line;
            }
        }
    }
    void slot(const node& n) {
        begin_line(n.line);
        append_utf8(out_.text, mark_of(out_, n.text));
    }
    void begin_line(int line) {
        if (fresh_) {
            out_.lines.push_back(line);
            fresh_ = false;
        }
    }

    const segment_set& on_;
    flat_text out_;
    bool fresh_ = true;
};

void collect(const nodes& list, std::vector<used_name>& out) {
    for (const auto& n : list) {
        if (n.what == node::kind::text) {
            continue;
        }
        const bool segment = n.what != node::kind::slot;
        if (std::ranges::none_of(out,
                                 [&](const used_name& u) { return u.name == n.text && u.is_segment == segment; })) {
            out.push_back({n.text, n.line, segment});
        }
        collect(n.children, out);
    }
}

} // namespace

nodes parse_mustache(std::string_view text, complaints& out, int first_line) {
    return parser{text, out, first_line}.run();
}

int flat_text::line_at(std::size_t offset) const noexcept {
    const auto line = static_cast<std::size_t>(std::ranges::count(std::string_view{text}.substr(0, offset), '\n'));
    return lines.empty() ? 1 : lines[std::min(line, lines.size() - 1)];
}

flat_text flatten(const nodes& list, const segment_set& on) {
    flattener f{on};
    f.all(list);
    return f.take();
}

flat_text flatten_sections_only(const nodes& list, const segment_set& on) {
    flattener f{on};
    f.sections(list);
    return f.take();
}

void append(flat_text& to, const flat_text& from, std::size_t begin, std::size_t end) {
    to.text += "\n\n";
    to.lines.resize(static_cast<std::size_t>(std::ranges::count(to.text, '\n')), from.line_at(begin));
    auto rest = std::string_view{from.text}.substr(begin, end - begin);
    bool fresh = true;
    while (!rest.empty()) {
        if (fresh) {
            to.lines.push_back(from.line_at(end - rest.size()));
        }
        const auto c = take_code_point(rest);
        const bool slot = c >= slot_mark && c - slot_mark < from.slots.size();
        append_utf8(to.text, slot ? mark_of(to, from.slots[c - slot_mark]) : c);
        fresh = c == '\n';
    }
}

std::vector<used_name> names_in(const nodes& list) {
    std::vector<used_name> out;
    collect(list, out);
    return out;
}

} // namespace semel::notice
