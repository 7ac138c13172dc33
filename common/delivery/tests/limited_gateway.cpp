#include "limited_gateway.hpp"

#include <algorithm>

namespace semel::delivery::testing {

using namespace std::chrono_literals;

namespace {

constexpr auto slice = 100ms;
constexpr auto patience = 5s; // as admission's
constexpr unsigned part_tries = 7;

base::duration seconds(double s) {
    return std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(s));
}

} // namespace

simulation::simulation(const scene& s)
    : scene_(s)
    , dice_(s.seed) {
    for (unsigned i = 0; i < s.processes; ++i) {
        processes_.push_back(std::make_unique<process>());
        at(now_, [this, p = processes_.back().get()] { start(*p); });
    }
}

void simulation::at(base::instant when, std::function<void()> what) {
    events_.push({.when = when, .order = order_++, .what = std::move(what)});
}

void simulation::run(base::duration time) {
    const auto end = now_ + time;
    while (!events_.empty() && events_.top().when <= end) {
        auto e = events_.top();
        events_.pop();
        now_ = e.when;
        e.what();
    }
    now_ = end;
}

void simulation::idle(base::duration time) {
    has_work_ = false;
    run(time);
    has_work_ = true;
    for (auto& p : processes_) {
        start(*p);
    }
}

simulation::traffic simulation::between(base::duration from, base::duration to) const {
    traffic sum;
    for (auto i = static_cast<std::size_t>(from / slice); i < std::min<std::size_t>(to / slice, seen_.size()); ++i) {
        sum.accepted += seen_[i].accepted;
        sum.refused += seen_[i].refused;
    }
    return sum;
}

void simulation::start(process& p) {
    const auto& how = scene_.speaks;
    while (has_work_ && p.out + how.parts <= how.window && p.active < p.pace.room()) {
        if (now_ < p.next) {
            if (!p.woken) {
                p.woken = true;
                at(p.next, [this, &p] {
                    p.woken = false;
                    start(p);
                });
            }
            return;
        }
        // A process is not a clock: its messages come a little unevenly.
        p.next = now_ + seconds(std::uniform_real_distribution{0.5, 1.5}(dice_) / scene_.able);
        p.out += how.parts;
        ++p.active;
        const auto m = std::make_shared<message>(message{.of = &p, .left = how.parts});
        at(now_ + scene_.round_trip * how.dialogue, [this, m] { queue(*m->of, m); });
    }
}

void simulation::queue(process& p, const std::shared_ptr<message>& m) {
    p.line.push_back(m);
    if (p.line.size() == 1) {
        next_in_line(p);
    }
}

/// As admission's.
void simulation::next_in_line(process& p) {
    if (p.line.empty()) {
        return;
    }
    const auto wait = p.pace.take(now_, patience, p.line.front()->left).value();
    at(now_ + wait, [this, &p] {
        const auto m = p.line.front();
        p.line.pop_front();
        m->sent = now_;
        release(m);
        next_in_line(p);
    });
}

void simulation::submit_again(const std::shared_ptr<message>& m) {
    const auto wait = m->of->pace.take_rest(now_, m->left);
    at(now_ + wait, [this, m] {
        m->sent = now_;
        release(m);
    });
}

void simulation::release(std::shared_ptr<message> m) {
    at(now_ + scene_.round_trip / 2, [this, m] {
        unsigned accepted = 0;
        unsigned refused = 0;
        for (unsigned i = 0; i < m->left; ++i) {
            ++(refuses() ? refused : accepted);
        }
        at(now_ + scene_.round_trip / 2, [=, this] { answered(m, accepted, refused); });
    });
}

void simulation::answered(const std::shared_ptr<message>& m, unsigned accepted, unsigned refused) {
    auto& p = *m->of;
    const auto& how = scene_.speaks;
    m->left -= accepted;
    p.out -= accepted;
    if (m->left > 0 && m->left < how.parts && ++m->round < part_tries) {
        p.pace.accepted("", m->sent, now_, {.accepted = accepted, .refused = refused});
        at(now_ + how.pause * (1U << (m->round - 1)), [this, m] { submit_again(m); });
        start(p);
        return;
    }
    if (m->left > 0) {
        p.pace.throttled("", m->sent, now_, {.refused = refused});
    } else {
        p.pace.accepted("", m->sent, now_, {.accepted = accepted});
    }
    --p.active;
    if (m->left > 0 && how.back_after > 0) {
        at(now_ + scene_.round_trip * how.back_after, [this, &p, left = m->left] {
            p.out -= left;
            start(p);
        });
    } else {
        p.out -= m->left;
    }
    start(p);
}

bool simulation::refuses() {
    const auto i = static_cast<std::size_t>((now_ - began_) / slice);
    seen_.resize(std::max(seen_.size(), i + 1));
    const bool no = std::bernoulli_distribution{scene_.by_chance}(dice_) || is_full();
    ++(no ? seen_[i].refused : seen_[i].accepted);
    return no;
}

bool simulation::is_full() {
    if (scene_.allows == 0) {
        return false;
    }
    if (scene_.counts == counting::bucket || scene_.counts == counting::shallow) {
        const double depth = std::max(1.0, scene_.allows * (scene_.counts == counting::bucket ? 1 : 0.1));
        tokens_ =
            tokens_ < 0
                ? depth
                : std::min(depth, tokens_ + scene_.allows * std::chrono::duration<double>(now_ - filled_).count());
        filled_ = now_;
        if (tokens_ < 1) {
            return true;
        }
        --tokens_;
        return false;
    }
    const auto from = scene_.counts == counting::any
                          ? now_ - 1s
                          : base::instant{std::chrono::floor<std::chrono::seconds>(now_.time_since_epoch())};
    while (!recent_.empty() && recent_.front() <= from - (scene_.counts == counting::any ? 0ns : 1ns)) {
        recent_.pop_front();
    }
    if (static_cast<double>(recent_.size()) >= scene_.allows) {
        return true;
    }
    recent_.push_back(now_);
    return false;
}

} // namespace semel::delivery::testing
