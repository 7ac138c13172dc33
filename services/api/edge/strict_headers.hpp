#pragma once
// What a browser may do with an answer: as little as it needs.

#include <http/server.hpp>

namespace semel::api {

/// Of data: nobody keeps it, and no browser takes it for a page or shows it in one. A header that the answer has
/// already stays.
void as_data(http::response&);

} // namespace semel::api
