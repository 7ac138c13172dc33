// Undoing, and taking up from records and events what another process had open.

#include "doubt_world.hpp"

#include <gtest/gtest.h>
#include <receipts/core/awaited.hpp>
#include <receipts/core/book.hpp>

#include <deque>
#include <random>

namespace semel::receipts {
namespace {

using base::notification_id;

std::map<notification_id, std::string> shown(const doubts& d) {
    std::map<notification_id, std::string> out;
    for (const auto& [id, one] : d.open()) {
        out.emplace(id, one.ShortDebugString());
    }
    return out;
}

/// One partition of `events` with its owner, its state store, and the histories that everybody knows.
class partition {
  public:
    explicit partition(unsigned seed)
        : random_(seed) {}

    /// Somebody says something about one of a few notifications.
    void say() {
        const std::vector<std::function<v1::Event()>> words{
            [&] { return event(v1::EVENT_AWAITING, attempt()); },
            [&] { return event(v1::EVENT_AWAITING, attempt()); },
            [&] { return event(v1::EVENT_IN_DOUBT, attempt()); },
            [&] { return event(v1::EVENT_ACCEPTED, attempt()); },
            [&] { return event(v1::EVENT_DEFERRED, attempt()); },
            [&] { return failed_by_gateway(attempt()); },
            [&] { return failed_resend(attempt()); },
            [&] { return receipt(v1::RECEIPT_UNKNOWN); },
            [&] { return receipt_of(one_of(2) == 0 ? "m-1" : "m-2"); },
            [&] { return resolved(one_of(2) == 0 ? "resend" : "presume-sent", attempt()); },
        };
        auto e = words[one_of(words.size())]();
        e.set_notification(std::string(32, static_cast<char>('a' + one_of(4))));
        e.set_parts(1 + static_cast<std::uint32_t>(one_of(2)));
        log_.push_back({.event = std::move(e), .told = now_, .offset = static_cast<std::int64_t>(log_.size())});
        now_ += std::chrono::milliseconds{one_of(2'000)};
    }

    /// Reads some, or looks at the clock, in a transaction that is committed or not.
    void transact(bool committed) {
        const auto before = shown(owner_);
        const auto reread = owner_.reread_from();
        const auto known = histories_;
        const auto end = std::min(log_.size(), next_ + one_of(4));
        auto said = one_of(3) == 0 ? look() : read(end);
        if (!committed) {
            owner_.undo();
            EXPECT_EQ(shown(owner_), before);
            EXPECT_EQ(owner_.reread_from(), reread);
            EXPECT_TRUE(owner_.changes().empty());
            histories_ = known;
            return;
        }
        for (const auto& id : owner_.changes()) {
            if (const auto* open = owner_.find(id)) {
                store_[id] = *open;
            } else {
                store_.erase(id);
            }
        }
        owner_.keep();
        next_ = last_read_;
        for (auto& e : said) {
            log_.push_back({.event = std::move(e), .told = now_, .offset = static_cast<std::int64_t>(log_.size())});
        }
    }

    /// The owner dies. Whoever comes after it knows the same.
    void hand_over() {
        doubts successor{15s};
        for (const auto& [id, d] : store_) {
            successor.restore(d);
        }
        awaited some;
        for (auto at = static_cast<std::size_t>(owner_.reread_from().value_or(static_cast<std::int64_t>(next_)));
             at < next_; ++at) {
            some.hear(log_[at].event, log_[at].told, log_[at].offset);
        }
        successor.take_up(
            some, [&](const notification_id& id) { return histories_[std::string{base::as_view(id)}]; }, policies(),
            now_);
        EXPECT_EQ(shown(successor), shown(owner_));
        EXPECT_EQ(successor.reread_from(), owner_.reread_from());
        unwritten_seen_ += successor.reread_from() ? 1 : 0;
        owner_ = std::move(successor);
    }

    std::size_t one_of(std::size_t n) { return random_() % n; }
    std::size_t unwritten_seen() const { return unwritten_seen_; }

  private:
    std::uint32_t attempt() { return 1 + static_cast<std::uint32_t>(one_of(3)); }
    policy_source policies() const {
        return [](const std::string&) { return std::optional{policy{.in_doubt = v1::DOUBT_RESEND, .after = 5s}}; };
    }
    std::vector<v1::Event> read(std::size_t end) {
        std::vector<v1::Event> said;
        for (auto at = next_; at < end; ++at) { // what a batch tells is known before any of it is heard
            const auto& e = log_[at].event;
            if (is_remembered(e)) {
                remember(histories_[e.notification()], e.kind(), e.attempt());
            }
        }
        for (auto at = next_; at < end; ++at) {
            const auto& one = log_[at];
            auto d = owner_.observe(one.event, histories_[one.event.notification()], policies(),
                                    {.told = one.told, .now = now_, .offset = one.offset});
            std::ranges::move(d.events, std::back_inserter(said));
        }
        last_read_ = end;
        return said;
    }
    std::vector<v1::Event> look() {
        std::vector<v1::Event> said;
        owner_.write_awaited(now_ - 4s);
        for (auto& d : owner_.review(policies(), now_, 10)) {
            std::ranges::move(d.events, std::back_inserter(said));
        }
        last_read_ = next_;
        return said;
    }

    std::mt19937 random_;
    std::deque<awaited::one> log_;
    std::size_t next_ = 0; // committed
    std::size_t last_read_ = 0;
    base::timestamp now_ = noon;
    std::map<std::string, history> histories_;
    std::map<notification_id, v1::Doubt> store_;
    doubts owner_{15s};
    std::size_t unwritten_seen_ = 0;
};

TEST(Book, UndoesWhatWasNotCommittedAndIsTakenUpFromRecordsAndEvents) {
    std::size_t unwritten_seen = 0;
    for (unsigned seed = 0; seed < 3'000; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        partition p{seed};
        for (int step = 0; step < 40; ++step) {
            p.say();
            p.transact(p.one_of(3) != 0);
            if (p.one_of(4) == 0) {
                p.hand_over();
            }
        }
        unwritten_seen += p.unwritten_seen();
        if (HasFailure()) {
            break;
        }
    }
    EXPECT_GT(unwritten_seen, 3'000U) << "otherwise nothing was shown";
}

moment at(std::int64_t offset) {
    return {.told = noon, .now = noon, .offset = offset};
}

TEST(Book, WhatIsAnsweredOnItsConnectionLeavesNoTrace) {
    world w;
    w.all.observe(event(v1::EVENT_AWAITING), {}, w.policies(), at(7));
    EXPECT_TRUE(w.open());
    EXPECT_EQ(w.all.reread_from(), 7);
    EXPECT_TRUE(w.all.changes().empty());
    w.all.keep();
    w.all.observe(event(v1::EVENT_ACCEPTED), {}, w.policies(), at(8));
    EXPECT_FALSE(w.open());
    EXPECT_TRUE(w.all.changes().empty());
    EXPECT_EQ(w.all.reread_from(), std::nullopt);
}

TEST(Book, WhateverElseIsSaidIsWritten) {
    for (const auto& e : {event(v1::EVENT_IN_DOUBT), receipt(v1::RECEIPT_UNKNOWN), event(v1::EVENT_DEFERRED),
                          event(v1::EVENT_AWAITING, 2), resolved("resend", 1)}) {
        world w;
        w.all.observe(event(v1::EVENT_AWAITING), {}, w.policies(), at(7));
        w.all.keep();
        w.all.observe(e, {}, w.policies(), at(8));
        EXPECT_EQ(w.all.changes().size(), 1U) << v1::EventKind_Name(e.kind());
        EXPECT_EQ(w.all.reread_from(), std::nullopt);
    }
}

TEST(Book, WhatWaitsForLongOrCannotBeReadAgainIsWritten) {
    world w;
    w.all.observe(event(v1::EVENT_AWAITING), {}, w.policies(), at(7));
    w.all.write_awaited(noon - 1s);
    EXPECT_TRUE(w.all.changes().empty());
    w.all.write_awaited(noon);
    EXPECT_EQ(w.all.changes().size(), 1U);
    world of_a_resend;
    auto again = event(v1::EVENT_AWAITING, 2);
    auto d = dispatch(2);
    d.set_resend(true);
    again.set_dispatch(d.SerializeAsString());
    of_a_resend.all.observe(again, {}, w.policies(),
                            at(7)); // what settles it is more than its own answer
    EXPECT_EQ(of_a_resend.all.changes().size(), 1U);
}

} // namespace
} // namespace semel::receipts
