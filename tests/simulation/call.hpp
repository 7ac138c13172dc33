#pragma once
// A question to a server, and its way there and back.

#include "world.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace semel::simulation {

struct journey {
    instant arrives;
    duration back{0};
    bool answered = true; ///< or the answer is lost
    duration patience = 5s;
};

/// Carried out at the server once it arrives, whatever has become of who asked. Nothing: nobody answered in time, and
/// it may have been carried out, or may be yet.
template <class T>
asio::awaitable<std::optional<T>> call(world& w, process p, journey way, std::move_only_function<T()> what) {
    struct state {
        std::optional<T> result;
        bool answered = false;
        world::ticket waiting;
    };
    const auto s = std::make_shared<state>();
    w.at(nobody, way.arrives, [&w, s, way, work = std::move(what)](boost::system::error_code) mutable {
        s->result.emplace(work());
        if (way.answered) {
            w.at(nobody, w.now() + way.back, [&w, s](boost::system::error_code) {
                s->answered = true;
                w.hasten(s->waiting);
            });
        }
    });
    co_await wait(w, p, w.now() + way.patience, [s](world::ticket t) { s->waiting = t; });
    co_return s->answered ? std::move(s->result) : std::nullopt;
}

} // namespace semel::simulation
