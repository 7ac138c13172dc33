#include "folder.hpp"

#include <notice/compile.hpp>
#include <notice/preview.hpp>
#include <notice/slots.hpp>
#include <notice/verification.hpp>

#include <correlation/verification_code.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace semel;
using namespace semel::notice;
using namespace semel::notice::test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

constexpr const char* a_code = "K7MP-3XWR-9HTC";

/// What a person named "____" gets who is in no segment.
std::string sent(const notice_source& source, const std::string& locale, base::channel channel) {
    v1::Delivery delivery;
    delivery.mutable_address()->set_given(channel == base::channel::email ? "kim@example.com" : "0");
    delivery.mutable_address()->set_transport("apns");
    delivery.set_name(std::string{blank});
    const auto artifact = compile_one(source, {}, locale, channel, 0, false);
    const auto shown = render_preview(artifact, {.campaign = {},
                                                 .notification = {},
                                                 .planned_at = {},
                                                 .delivery = &delivery,
                                                 .test = false,
                                                 .give_up = std::nullopt,
                                                 .verification = a_code})
                           .value();
    auto text = shown.files[channel == base::channel::email ? 1 : 0].bytes; // text.txt, apns.json
    std::erase(text, '\r');
    return text;
}

files with_code() {
    auto folder = a_folder();
    folder.at("email.en.md") += "\nCheck: {{verification}}\n";
    folder.at("sms.en.txt").insert(0, "{{verification}} ");
    return folder;
}

} // namespace

TEST(Verification, TheSampleIsAsLongAsACodeAndIsNone) {
    EXPECT_EQ(verification_sample.size(), std::string_view{a_code}.size());
    EXPECT_FALSE(correlation::verification_code::read(verification_sample));
}

TEST(Verification, NeedsNoDefinitionAndIsNobodysOnALockScreen) {
    EXPECT_THAT(found(with_code()), IsEmpty());
    EXPECT_THAT(found(with("push.en.yaml", "Your data", "Your {{verification}} data")), IsEmpty());
    EXPECT_THAT(found(with("push.en.yaml", "Your data", "Your {{name}} data")), ElementsAre("push.en.yaml:1 AP-8"));
    EXPECT_THAT(found(with("email.en.md", "Write to us.", "[Write](https://example.com/{{verification}}).")),
                Contains(HasSubstr("slot-in-link")));
}

TEST(Verification, CountsIntoAnSms) {
    const auto fits = [](const std::string& sms) {
        auto folder = with_code();
        folder.at("sms.en.txt") = sms;
        return std::ranges::count(found(folder), "sms.en.txt:1 too-long") == 0;
    };
    std::size_t most = 6 * 153; // letters in six parts, and fewer under the heading of a supplement
    while (!fits(std::string(most, 'x'))) {
        --most;
    }
    EXPECT_TRUE(fits("{{verification}}" + std::string(most - 14, 'x')));
    EXPECT_FALSE(fits("{{verification}}" + std::string(most - 13, 'x')));
}

// Notices from before codes may have a column of that name: what is compiled from them stays what it was.
TEST(Verification, ASlotOfTheNoticesOwnStaysItsOwn) {
    auto folder = with_code();
    auto& yaml = folder.at("notice.yaml");
    yaml.replace(yaml.find("slots: {"), 8, "slots: {verification: {default: {en: none}}, ");
    const auto own = check(folder).source;
    EXPECT_FALSE(shows_code(own, "en", base::channel::sms));
    EXPECT_FALSE(shows_verification(compile_one(own, {}, "en", base::channel::sms, 0, false)));
    EXPECT_THAT(public_text_of(own, "en", base::channel::sms, a_code).body, HasSubstr("____"));
}

TEST(Verification, EachTextSaysWhetherItShowsItsCode) {
    const auto source = check(with_code()).source;
    for (const auto channel : {base::channel::email, base::channel::sms, base::channel::push}) {
        const bool shows = channel != base::channel::push;
        EXPECT_EQ(shows_code(source, "en", channel), shows);
        EXPECT_EQ(shows_verification(compile_one(source, {}, "en", channel, 0, false)), shows);
    }
    EXPECT_FALSE(shows_code(source, "de", base::channel::email));
    auto in_subject = a_folder();
    auto& body = in_subject.at("email.en.md");
    for (auto at = body.find("{{verification}}"); at != body.npos; at = body.find("{{verification}}")) {
        body.replace(at, 16, "-");
    }
    EXPECT_FALSE(shows_code(check(in_subject).source, "en", base::channel::email));
    auto& yaml = in_subject.at("notice.yaml");
    yaml.insert(yaml.find("Notice of"), "{{verification}} ");
    EXPECT_TRUE(shows_code(check(in_subject).source, "en", base::channel::email));
}

TEST(Verification, ThePublicTextIsWhatIsSentWithBlanksForWhatIsSomebodys) {
    const auto source = check(with_code()).source;
    const auto mail = public_text_of(source, "en", base::channel::email, a_code);
    EXPECT_EQ(mail.name, "Notice of data leak");
    EXPECT_EQ(mail.heading, "Notice of data leak");
    EXPECT_EQ(mail.body + "\n", sent(source, "en", base::channel::email));
    EXPECT_THAT(mail.body, HasSubstr("Dear ____, your data"));
    EXPECT_THAT(mail.body, HasSubstr(std::string{"Check: "} + a_code));
    EXPECT_THAT(mail.passages, ElementsAre("Change your code."));
    const auto sms = public_text_of(source, "en", base::channel::sms, a_code);
    EXPECT_EQ(sms.heading, "");
    EXPECT_EQ(sms.body + "\n", sent(source, "en", base::channel::sms));
    EXPECT_THAT(sms.passages, ElementsAre("Change your code."));
    const auto push = public_text_of(source, "en", base::channel::push, a_code);
    EXPECT_EQ(push.heading, "Data leak");
    EXPECT_EQ(push.body, "Your data leaked. Open the app.");
    EXPECT_THAT(push.passages, IsEmpty());
    EXPECT_THAT(sent(source, "en", base::channel::push), HasSubstr(push.body));
}
