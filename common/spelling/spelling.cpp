#include "spelling.hpp"

#include <algorithm>
#include <vector>

namespace semel::spelling {
namespace {

constexpr std::size_t shortest = 3;
constexpr std::size_t longest = 64; // the table grows with the product of both

} // namespace

std::size_t slips(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::optional<std::size_t> nearness(std::string_view word, std::string_view meant) {
    if (std::min(word.size(), meant.size()) < shortest || std::max(word.size(), meant.size()) > longest) {
        return std::nullopt;
    }
    const auto n = slips(word, meant);
    return n <= (meant.size() < 6 ? 1U : 2U) ? std::optional{n} : std::nullopt;
}

} // namespace semel::spelling
