#pragma once
// What a browser may do with an answer: as little as it needs.

#include <http/server.hpp>

namespace semel::api {

/// Of data: nobody keeps it, and no browser takes it for a page or shows it in one. A header that the answer has
/// already stays.
void as_data(http::response&);
/// Of the console's page: its own scripts, styles and answers alone, in nobody's frame.
void as_page(http::response&);
/// Of a page for everybody: its own style and forms alone, no script at all, in nobody's frame.
void as_public_page(http::response&);
/// Of a text that people will get, to be shown in a frame of the console: no script, nothing from elsewhere.
void as_preview(http::response&);

} // namespace semel::api
