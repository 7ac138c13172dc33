#pragma once
// What a user is told, and can do, while PostgreSQL cannot be used.

#include <postgres/outage.hpp>

#include <string>

namespace semel::api {

struct turned_away {
    std::string what, hint;
};

inline turned_away turn_away(const postgres::outage& away) {
    switch (away.what) {
    case postgres::outage::kind::commit_in_doubt:
        return {.what = away.words + ": nobody knows whether this was done",
                .hint = "look first: `semel campaign show ID`; then repeat it if need be"};
    case postgres::outage::kind::no_such_table:
        return {.what = "the records are not there yet: the ledger makes its tables when it starts",
                .hint = "see with `semel ps` whether the ledger runs"};
    default:
        return {.what = away.words, .hint = "nothing was changed; try again, and see `semel ps`"};
    }
}

} // namespace semel::api
