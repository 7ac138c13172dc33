#include <kafka/fate.hpp>

namespace semel::kafka {

fate fate_of(const positions& before, const std::vector<commit>& wanted, const std::vector<commit>& now) {
    positions found;
    for (const auto& c : now) {
        found[c.at] = {c.next, c.metadata};
    }
    bool moved = false;
    bool stayed = false;
    for (const auto& c : wanted) {
        const position after{c.next, c.metadata};
        const auto was = before.find(c.at);
        const auto is = found.find(c.at);
        if (was == before.end() || is == found.end() || (is->second != after && is->second != was->second)) {
            return fate::overtaken;
        }
        if (was->second != after) {
            (is->second == after ? moved : stayed) = true;
        }
    }
    if (moved && stayed) {
        return fate::overtaken; // a transaction is whole
    }
    return moved ? fate::committed : fate::not_committed;
}

} // namespace semel::kafka
