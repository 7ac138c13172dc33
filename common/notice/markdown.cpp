#include "markdown.hpp"

#include "utf8.hpp"

#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

namespace semel::notice {
namespace {

struct free_node {
    void operator()(cmark_node* node) const noexcept { cmark_node_free(node); }
};
using document = std::unique_ptr<cmark_node, free_node>;

bool is_slot_mark(char32_t c) noexcept {
    return c >= 0xe000 && c < 0xe000 + 6'400;
}

struct heading_line {
    int level = 0;
    std::string_view title, anchor;
};

// "## Title {#anchor}", as ATX headings are written.
std::optional<heading_line> heading_of(std::string_view line) {
    const auto level = std::min(line.find_first_not_of('#'), line.size());
    if (level == 0 || level > 6 || level >= line.size() || line[level] != ' ') {
        return std::nullopt;
    }
    auto title = line.substr(level + 1);
    std::string_view anchor;
    const auto last = title.find_last_not_of(' ');
    title = last == title.npos ? std::string_view{} : title.substr(0, last + 1);
    if (const auto open = title.rfind("{#"); open != title.npos && title.ends_with('}')) {
        anchor = title.substr(open + 2, title.size() - open - 3);
        title = title.substr(0, open);
        const auto end = title.find_last_not_of(' ');
        title = end == title.npos ? std::string_view{} : title.substr(0, end + 1);
    }
    return heading_line{static_cast<int>(level), title, anchor};
}

// Calls visit(offset, line) for each line that is not inside a fenced code block.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
    bool fenced = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        if (line.starts_with("```") || line.starts_with("~~~")) {
            fenced = !fenced;
        } else if (!fenced) {
            visit(at, line);
        }
        at = end + 1;
    }
}

std::string without_anchors(std::string_view markdown) {
    std::string out;
    std::size_t copied = 0;
    each_line(markdown, [&](std::size_t at, std::string_view line) {
        const auto heading = heading_of(line);
        if (heading && !heading->anchor.empty()) {
            out += markdown.substr(copied, at - copied);
            out += std::string_view{"######"}.substr(0, static_cast<std::size_t>(heading->level));
            out += ' ';
            out += heading->title;
            copied = at + line.size();
        }
    });
    out += markdown.substr(copied);
    return out;
}

document parse(std::string_view markdown) {
    return document{cmark_parse_document(markdown.data(), markdown.size(), CMARK_OPT_DEFAULT)};
}

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        width += take_code_point(text) >= 0x1100 ? 2 : 1; // East Asian scripts are wide; the rest hardly matters
    }
    return width;
}

/// Plain text for people: structure by blank lines, dashes and numbers, never by Markdown's own marks.
class text_writer {
  public:
    std::string write(cmark_node* root) {
        blocks(root, "");
        return std::move(out_);
    }

  private:
    void blocks(cmark_node* parent, const std::string& indent) {
        for (auto* node = cmark_node_first_child(parent); node != nullptr; node = cmark_node_next(node)) {
            block(node, indent);
            if (cmark_node_next(node) != nullptr && !in_tight_list(parent)) {
                out_ += '\n';
            }
        }
    }

    static bool in_tight_list(cmark_node* item) {
        auto* list = cmark_node_parent(item);
        return cmark_node_get_type(item) == CMARK_NODE_ITEM && cmark_node_get_list_tight(list) != 0;
    }

    void block(cmark_node* node, const std::string& indent) {
        switch (cmark_node_get_type(node)) {
        case CMARK_NODE_HEADING: {
            const auto title = inlines(node);
            line(indent, title);
            line(indent, std::string(std::clamp<std::size_t>(width_of(title), 3, 60), '-'));
            break;
        }
        case CMARK_NODE_PARAGRAPH:
            lines(indent, inlines(node));
            break;
        case CMARK_NODE_BLOCK_QUOTE:
            blocks(node, indent + "> ");
            break;
        case CMARK_NODE_LIST:
            list(node, indent);
            break;
        case CMARK_NODE_CODE_BLOCK:
            lines(indent + "    ", cmark_node_get_literal(node));
            break;
        case CMARK_NODE_THEMATIC_BREAK:
            line(indent, "----");
            break;
        default:
            break; // raw HTML is not sent
        }
    }

    void list(cmark_node* node, const std::string& indent) {
        const bool ordered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;
        auto number = cmark_node_get_list_start(node);
        for (auto* item = cmark_node_first_child(node); item != nullptr; item = cmark_node_next(item)) {
            const auto bullet = ordered ? fmt::format("{}. ", number++) : std::string{"- "};
            bullet_ = bullet;
            blocks(item, indent + std::string(bullet.size(), ' '));
            bullet_.clear();
            if (cmark_node_next(item) != nullptr && cmark_node_get_list_tight(node) == 0) {
                out_ += '\n';
            }
        }
    }

    // The first line of an item carries its bullet in place of the last part of the indent.
    void line(const std::string& indent, std::string_view text) {
        out_ += std::string_view{indent}.substr(0, indent.size() - bullet_.size());
        out_ += bullet_;
        out_ += text;
        out_ += '\n';
        bullet_.clear();
    }
    void lines(const std::string& indent, std::string_view text) {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            line(indent, text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    std::string inlines(cmark_node* parent) {
        std::string out;
        for (auto* node = cmark_node_first_child(parent); node != nullptr; node = cmark_node_next(node)) {
            switch (cmark_node_get_type(node)) {
            case CMARK_NODE_TEXT:
            case CMARK_NODE_CODE:
                out += cmark_node_get_literal(node);
                break;
            case CMARK_NODE_SOFTBREAK:
                out += ' ';
                break;
            case CMARK_NODE_LINEBREAK:
                out += '\n';
                break;
            case CMARK_NODE_LINK: {
                const auto text = inlines(node);
                const std::string_view url = cmark_node_get_url(node);
                out += text;
                if (text != url && "mailto:" + text != url && "tel:" + text != url) {
                    out += fmt::format(" ({})", url);
                }
                break;
            }
            default:
                out += inlines(node);
            }
        }
        return out;
    }

    std::string out_;
    std::string bullet_;
};

// The nearest line that cmark knows: not every inline has one.
int line_of(cmark_node* node) {
    for (; node != nullptr; node = cmark_node_parent(node)) {
        if (const auto line = cmark_node_get_start_line(node); line > 0) {
            return line;
        }
    }
    return 1;
}

template <class Visit>
void each_node(std::string_view markdown, Visit visit) {
    const auto root = parse(markdown);
    const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> at{cmark_iter_new(root.get()), &cmark_iter_free};
    for (auto event = cmark_iter_next(at.get()); event != CMARK_EVENT_DONE; event = cmark_iter_next(at.get())) {
        if (event == CMARK_EVENT_ENTER) {
            visit(cmark_iter_get_node(at.get()));
        }
    }
}

bool has_slot_mark(std::string_view text) {
    while (!text.empty()) {
        if (is_slot_mark(take_code_point(text))) {
            return true;
        }
    }
    return false;
}

} // namespace

rendered render_markdown(std::string_view markdown) {
    const auto root = parse(without_anchors(markdown));
    const std::unique_ptr<char, decltype(&std::free)> html{cmark_render_html(root.get(), CMARK_OPT_DEFAULT),
                                                           &std::free};
    return {.text = text_writer{}.write(root.get()), .html = html.get()};
}

std::vector<section> sections_of(std::string_view markdown) {
    std::vector<section> out;
    std::vector<std::size_t> open; // indices of sections that have not ended: levels rise
    std::size_t counted = 0;
    int line_number = 1;
    each_line(markdown, [&](std::size_t at, std::string_view line) {
        const auto heading = heading_of(line);
        if (!heading) {
            return;
        }
        for (; !open.empty() && out[open.back()].level >= heading->level; open.pop_back()) {
            out[open.back()].end = at;
        }
        line_number += static_cast<int>(std::ranges::count(markdown.substr(counted, at - counted), '\n'));
        counted = at;
        open.push_back(out.size());
        out.push_back({.line = line_number,
                       .level = heading->level,
                       .title = std::string{heading->title},
                       .anchor = std::string{heading->anchor},
                       .begin = at,
                       .content = std::min(at + line.size() + 1, markdown.size()),
                       .end = markdown.size()});
    });
    return out;
}

std::vector<forbidden> forbidden_in(std::string_view markdown) {
    std::vector<forbidden> out;
    each_node(markdown, [&](cmark_node* node) {
        switch (cmark_node_get_type(node)) {
        case CMARK_NODE_HTML_BLOCK:
        case CMARK_NODE_HTML_INLINE:
            out.push_back({forbidden::kind::raw_html, line_of(node)});
            break;
        case CMARK_NODE_IMAGE:
            out.push_back({forbidden::kind::image, line_of(node)});
            break;
        case CMARK_NODE_LINK:
            if (has_slot_mark(cmark_node_get_url(node)) || has_slot_mark(cmark_node_get_title(node))) {
                out.push_back({forbidden::kind::slot_in_link, line_of(node)});
            }
            break;
        default:
            break;
        }
    });
    return out;
}

std::vector<link> links_in(std::string_view markdown) {
    std::vector<link> out;
    each_node(markdown, [&](cmark_node* node) {
        if (cmark_node_get_type(node) == CMARK_NODE_LINK) {
            out.push_back({cmark_node_get_url(node), line_of(node)});
        }
    });
    return out;
}

} // namespace semel::notice
