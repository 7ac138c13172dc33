#pragma once
// Records that grow for ever are read page by page, the latest first: `before` is a number of the record, `limit` how
// many at most.

#include <base/fault.hpp>
#include <http/json.hpp>
#include <http/server.hpp>

#include <api/core/access.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace semel::api {

struct page_request {
    std::int64_t before = 0; // 0: from the latest
    std::int64_t limit = 100;
};

/// Of the query; malformed when it is not numbers in their bounds.
base::result<page_request> page_of(const http::request&);
/// What the record is narrowed to: a name in the query, empty for all. Malformed when no name is like it.
base::result<std::string> filter_of(const http::request&, std::string_view name);
/// Whose part of the record is asked for: the own without a word, "?user=kim", or "?everybody=yes", which gives an
/// empty name. Whether it may be seen, access::judge says.
base::result<std::string> whose(const http::request&, const user&);
/// `before` of the next page, or null at the end.
json::value next_page(const page_request&, std::size_t got, std::int64_t last_number);

} // namespace semel::api
