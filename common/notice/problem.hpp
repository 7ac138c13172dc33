#pragma once
// What is wrong with a notice folder, as values: for people (`file:line: reason. Mend: ...`) and for machines (id).

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// A finding is a guess about wording that may be wrong: an approver takes it on by name, or it stays open and nothing
/// is sent. An error cannot be accepted by anybody.
enum class severity : unsigned char { warning, finding, error };
std::string_view to_string(severity) noexcept;

struct problem {
    std::string file;
    int line = 0; // from 1; 0: the file as a whole
    severity how_bad = severity::error;
    std::string id;     // stable: "unknown-slot", "KR-1"
    std::string reason; // a sentence without its full stop
    std::string mend;   // what to do, likewise
    std::string law{};  // that wants it so; none: Semel itself does
};

std::string to_text(const problem&);
bool has_errors(std::span<const problem>) noexcept;

/// Collects the problems of one file.
class complaints {
  public:
    complaints(std::vector<problem>& all, std::string file)
        : all_(&all)
        , file_(std::move(file)) {}
    void error(int line, std::string id, std::string reason, std::string mend) {
        all_->push_back({file_, line, severity::error, std::move(id), std::move(reason), std::move(mend)});
    }
    void warn(int line, std::string id, std::string reason, std::string mend) {
        all_->push_back({file_, line, severity::warning, std::move(id), std::move(reason), std::move(mend)});
    }
    void finding(int line, std::string id, std::string reason, std::string mend) {
        say(severity::finding, line, std::move(id), std::move(reason), std::move(mend));
    }
    void say(severity how_bad, int line, std::string id, std::string reason, std::string mend) {
        all_->push_back({file_, line, how_bad, std::move(id), std::move(reason), std::move(mend)});
    }
    void say(severity how_bad, int line, std::string id, std::string law, std::string reason, std::string mend) {
        all_->push_back({file_, line, how_bad, std::move(id), std::move(reason), std::move(mend), std::move(law)});
    }
    const std::string& file() const noexcept { return file_; }

  private:
    std::vector<problem>* all_;
    std::string file_;
};

} // namespace semel::notice
