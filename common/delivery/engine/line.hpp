#pragma once
// First come, first served. One strand.

#include <delivery/engine/fact.hpp>

#include <deque>

namespace semel::delivery {

class line {
  public:
    /// Somebody's, as long as it lives. The line must outlive it.
    class place {
      public:
        explicit place(line& in)
            : in_(in) {
            in_.all_.push_back(this);
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() {
            const bool first = is_first();
            std::erase(in_.all_, this);
            if (first && !in_.all_.empty()) {
                in_.all_.front()->turn.changed();
            }
        }
        bool is_first() const noexcept { return in_.all_.front() == this; }

        fact turn; // it is first now

      private:
        line& in_;
    };

  private:
    std::deque<place*> all_;
};

} // namespace semel::delivery
