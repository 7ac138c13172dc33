#include "json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <fmt/format.h>

#include <set>
#include <vector>

namespace semel::json {
namespace {

/// Takes what a parser tells and keeps the names of the open objects' members, unescaped as they are compared.
class member_names {
  public:
    using size = std::size_t;
    static constexpr size max_object_size = static_cast<size>(-1);
    static constexpr size max_array_size = static_cast<size>(-1);
    static constexpr size max_key_size = static_cast<size>(-1);
    static constexpr size max_string_size = static_cast<size>(-1);

    bool one_came_twice() const noexcept { return twice_; }

    bool on_object_begin(error_code&) {
        open_.emplace_back();
        return true;
    }
    bool on_object_end(size, error_code&) {
        open_.pop_back();
        return true;
    }
    bool on_key_part(string_view part, size, error_code&) {
        name_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, size, error_code&) {
        name_.append(part.data(), part.size());
        twice_ = twice_ || !open_.back().insert(std::move(name_)).second;
        name_.clear();
        return true;
    }

    static bool on_document_begin(error_code&) { return true; }
    static bool on_document_end(error_code&) { return true; }
    static bool on_array_begin(error_code&) { return true; }
    static bool on_array_end(size, error_code&) { return true; }
    static bool on_string_part(string_view, size, error_code&) { return true; }
    static bool on_string(string_view, size, error_code&) { return true; }
    static bool on_number_part(string_view, error_code&) { return true; }
    static bool on_int64(std::int64_t, string_view, error_code&) { return true; }
    static bool on_uint64(std::uint64_t, string_view, error_code&) { return true; }
    static bool on_double(double, string_view, error_code&) { return true; }
    static bool on_bool(bool, error_code&) { return true; }
    static bool on_null(error_code&) { return true; }
    static bool on_comment_part(string_view, error_code&) { return true; }
    static bool on_comment(string_view, error_code&) { return true; }

  private:
    std::vector<std::set<std::string>> open_;
    std::string name_;
    bool twice_ = false;
};

} // namespace

base::result<value> read_unique(std::string_view text) {
    auto out = read(text);
    if (!out) {
        return out;
    }
    basic_parser<member_names> names{parse_options{.max_depth = 32}};
    boost::json::error_code error;
    names.write_some(false, text.data(), text.size(), error);
    if (error || names.handler().one_came_twice()) {
        return base::failed(base::fault::kind::malformed, "a member stands twice in the same object");
    }
    return out;
}

base::result<value> read(std::string_view text) {
    boost::json::error_code error;
    stream_parser parser{{}, parse_options{.max_depth = 32}};
    const auto used = parser.write_some(text.data(), text.size(), error);
    if (!error && used < text.size()) {
        error = boost::json::error::extra_data;
    }
    if (!error) {
        parser.finish(error);
    }
    if (error) {
        return base::failed(base::fault::kind::malformed,
                            fmt::format("no valid JSON at byte {}: {}", used, error.message()));
    }
    return parser.release();
}

const string* find_text(const object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    return found == nullptr ? nullptr : found->if_string();
}

namespace {

void append(std::string& out, const value& v, std::size_t indent) {
    const auto each = [&](const auto& items, char open, char close, const auto& write) {
        if (items.empty()) {
            out += {open, close};
            return;
        }
        out += open;
        bool first = true;
        for (const auto& item : items) {
            out += first ? "\n" : ",\n";
            out.append(indent + 2, ' ');
            write(item);
            first = false;
        }
        out += '\n';
        out.append(indent, ' ');
        out += close;
    };
    if (const auto* members = v.if_object()) {
        each(*members, '{', '}', [&](const key_value_pair& member) {
            out += serialize(member.key());
            out += ": ";
            append(out, member.value(), indent + 2);
        });
    } else if (const auto* elements = v.if_array()) {
        each(*elements, '[', ']', [&](const value& element) { append(out, element, indent + 2); });
    } else {
        out += serialize(v);
    }
}

} // namespace

std::string pretty(const value& v) {
    std::string out;
    append(out, v, 0);
    out += '\n';
    return out;
}

} // namespace semel::json
