#pragma once
// A notice folder (notice.yaml, email.LOCALE.md, push.LOCALE.yaml, sms.LOCALE.txt) read into values. Pure, but for
// load_folder().

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <notice/mustache.hpp>
#include <notice/problem.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace semel::notice {

/// By file name, as uploaded.
using files = std::map<std::string, std::string>;

/// The files of a folder, without hidden ones and subfolders. Refuses what is too large to be a notice.
base::result<files> load_folder(const std::filesystem::path&);
/// What is larger than a notice can be, or has a file whose name cannot be shown: `malformed`. Holds whoever sends it.
base::result<void> check_limits(const files&);
/// Names a notice: the key of `notices`, what an approval is bound to.
crypto::digest digest_of(const files&);

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
    std::vector<std::string> leaked; // facts.leaked
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
