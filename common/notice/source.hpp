#pragma once
// A notice folder (notice.yaml, email.LOCALE.md, push.LOCALE.yaml, sms.LOCALE.txt) read into values. Pure.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <notice/folder.hpp>
#include <notice/mustache.hpp>
#include <notice/problem.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace semel::notice {

enum class kind : unsigned char { breach, preliminary, supplement, follow_up, possibility, not_leaked };
std::string_view to_string(kind) noexcept;

/// A text that may differ by locale; one without locales holds for all.
class localized {
  public:
    void set(std::string locale, std::string text) { by_locale_[std::move(locale)] = std::move(text); }
    const std::string& in(const std::string& locale) const;
    const std::map<std::string, std::string>& all() const noexcept { return by_locale_; }

  private:
    std::map<std::string, std::string> by_locale_; // "" for all
};

struct slot_definition {
    std::map<std::string, std::string> defaults; // by locale
    int line = 0;
};

/// One email.LOCALE.md, push.LOCALE.yaml or sms.LOCALE.txt.
struct channel_text {
    std::string file;
    nodes title; // push
    nodes body;
    std::map<std::string, std::string> data; // push: for the app
};

struct notice_source {
    notice::kind kind = kind::breach;
    std::map<std::string, nodes> title; // by locale
    std::map<std::string, int> title_line;
    std::vector<std::string> jurisdictions;
    int jurisdictions_line = 0;
    std::optional<base::timestamp> aware_at;
    struct {
        localized organisation;
        std::string email, sms;
    } sender;
    struct {
        localized department;
        std::string phone, email;
        std::vector<std::string> numbers;
    } contact;
    std::vector<std::string> leaked, not_leaked; // facts
    int facts_line = 0;
    /// The law's ground for telling people later, and when it ended; without an end it still stands.
    struct delay {
        std::string ground;
        std::optional<base::timestamp> until;
        int line = 0;
    };
    std::optional<delay> delayed;
    /// How long the notice stands on the organisation's own site.
    struct posting {
        base::timestamp from, until;
        int line = 0;
    };
    std::optional<posting> posted;
    std::vector<std::string> segments;
    std::map<std::string, int> segment_line;
    std::map<std::string, slot_definition> slots;
    std::vector<std::string> locales; // those that have a text, sorted
    std::string default_locale;
    std::map<std::string, std::string> fallback;
    unsigned sms_max_parts = 6;
    localized supplement_prefix; // before a supplement's title; built-in words where it is missing
    std::vector<base::channel> channels;
    std::map<std::pair<std::string, base::channel>, channel_text> texts;
};

struct parsed_source {
    notice_source source; // as far as it could be read
    std::vector<problem> problems;
    bool readable = false; // notice.yaml could be read: without it nothing else has a meaning
};
parsed_source parse(const files&);

} // namespace semel::notice
