#pragma once
// Which route a request takes: pure, by method and path pattern. `/v1/campaigns/{id}/waves` matches one segment for
// each parameter; a literal segment goes before a parameter.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace semel::http {

using parameters = std::map<std::string, std::string, std::less<>>;

class route_table {
  public:
    struct found {
        std::size_t route; // as add() numbered it
        parameters values;
    };
    struct no_such_path {};
    struct wrong_method {
        std::string allowed; // "GET, POST"
    };
    /// A broken escape, or a parameter that decodes to ".", "..", or to something with a slash, a backslash or a
    /// control character: handlers may use parameters in file names.
    struct bad_path {};
    using match = std::variant<found, no_such_path, wrong_method, bad_path>;

    /// Throws std::invalid_argument for a pattern that does not start with '/' or that is there already.
    std::size_t add(std::string_view method, std::string_view pattern);
    /// `path` as it came, percent-encoded, without the query: a %2F is not a separator.
    match find(std::string_view method, std::string_view path) const;
    /// Every route as it was added: "GET /v1/campaigns/{id}".
    std::vector<std::string> list() const;

  private:
    struct route {
        std::string method;
        std::vector<std::string> segments;
    };
    std::vector<route> routes_;
};

} // namespace semel::http
