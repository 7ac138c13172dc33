#include "json.hpp"

#include <boost/json/src.hpp>
#include <fmt/format.h>

namespace semel::json {

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
