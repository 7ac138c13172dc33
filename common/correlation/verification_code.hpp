#pragma once
// The code in a notice by which whoever gets it finds out whether it is genuine. It names a campaign's text on one
// channel in one locale, so it is the same for everybody who got that text and says nothing about anybody. Pure.
//
// Ten letters come from the campaign's key and two check them. The alphabet has 31 letters, a prime number: the two are
// chosen so that the letters add up to 0 modulo 31, and so do the letters each times its place. Any two codes differ in
// three places at least, so that one wrong letter, two wrong letters, or two that changed places never make another
// code. See docs/decisions/0028-is-it-genuine.md.

#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace semel::correlation {

class verification_code {
  public:
    /// Digits and capitals but 0, 1, I, L and O, which are taken for one another.
    static constexpr std::string_view alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    static constexpr std::size_t secret_letters = 10, letters_in_all = 12, letters_in_a_group = 4;

    static verification_code of(const crypto::campaign_key&, const base::campaign_id&, base::channel,
                                std::string_view locale);

    /// As people type it: in small letters, with blanks and any dashes, in the wide forms of Korean and Japanese
    /// keyboards. One letter that no code has (a 0, say) was misread: the check letters tell which it was. Nothing for
    /// what can not be a code; that one is well formed does not say that it was ever given.
    static std::optional<verification_code> read(std::string_view typed);

    /// "K7MP3XWR9HTC": for comparing and storing.
    const std::string& letters() const noexcept { return letters_; }
    /// "K7MP-3XWR-9HTC": as it stands in messages, to be read aloud.
    std::string grouped() const;

    friend bool operator==(const verification_code&, const verification_code&) = default;

  private:
    explicit verification_code(std::string letters)
        : letters_(std::move(letters)) {}

    std::string letters_;
};

} // namespace semel::correlation
