#include <audience/columns.hpp>

#include <gtest/gtest.h>
#include <unicode/unicode.hpp>

#include <set>

using namespace semel;
using audience::known_columns;

namespace {

using names = std::vector<std::string_view>;

known_columns some_columns() {
    static const std::vector<std::string> slots{"order_count", "name", "team"};
    return known_columns{slots};
}

std::string use_of(std::string_view name) {
    const auto known = some_columns();
    return known.use_of(known.of(name).place);
}

/// What read_header() refuses with; empty when it does not.
std::string fault_of(const names& header) {
    const auto read = audience::read_header(header, some_columns());
    return read ? std::string{} : read.error().why();
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::vector<audience::column_use> columns_of(const names& header) {
    const auto known = some_columns();
    const auto places = audience::read_header(header, known);
    std::vector<audience::column_use> out;
    for (std::size_t i = 0; i < header.size(); ++i) {
        out.push_back({std::string{header[i]}, places->at(i)});
    }
    return out;
}

constexpr std::array all_channels{base::channel::email, base::channel::push, base::channel::sms};

} // namespace

TEST(Columns, AreRecognisedHoweverPeopleSpellThem) {
    const std::pair<const char*, const char*> table[] = {
        {"recipient_id", "recipient_id"},
        {"Recipient ID", "recipient_id"},
        {"RECIPIENT-ID", "recipient_id"},
        {"회원번호", "recipient_id"},
        {"user_id", "recipient_id"},
        {"email", "email"},
        {"Email", "email"},
        {"EMAIL ADDRESS", "email"},
        {"e-mail", "email"},
        {"E_mail", "email"},
        {"mail", "email"},
        {"이메일", "email"},
        {"이메일 주소", "email"},
        {"메일", "email"},
        {"phone", "phone"},
        {"phone number", "phone"},
        {"Phone No.", "phone"},
        {"Mobile", "phone"},
        {"mobile-phone", "phone"},
        {"tel", "phone"},
        {"전화번호", "phone"},
        {"휴대폰", "phone"},
        {"휴대폰 번호", "phone"},
        {"휴대전화번호", "phone"},
        {"Push Token", "push"},
        {"Language", "locale"},
        {"언어", "locale"},
        {"이름", "name"},
        {"성명", "name"},
        {"Full Name", "name"},
        {"Country", "country"},
        {"국가", "country"},
        {"Segment", "segments"},
        {"Order Count", "slot order_count"},
        {"TEAM", "slot team"},
        {"shoe_size", "unused"},
        {"work email", "unused"},
        {"first name", "unused"},
        {"", "unused"},
    };
    for (const auto& [spelled, meant] : table) {
        EXPECT_EQ(use_of(spelled), meant) << spelled;
    }
}

// A hidden character is the usual damage: a byte order mark in the middle, a no-break space from a spreadsheet.
TEST(Columns, AreRecognisedThroughWhatNobodySees) {
    for (const char* spelled : {"\ufeff"
                                "email",
                                "\u00a0"
                                "Email\u00a0",
                                "e\u200bmail", "\u3000email", "\uff45\uff4d\uff41\uff49\uff4c"}) {
        EXPECT_EQ(use_of(spelled), "email") << spelled;
    }
    EXPECT_EQ(use_of("\u110b\u1175\u1106\u1166\u110b\u1175\u11af"), "email") << "decomposed, as a Mac writes it";
}

TEST(Columns, ASlotOfTheNoticeIsMoreThanAUsualName) {
    const std::vector<std::string> slots{"mobile", "email_address"};
    const known_columns known{slots};
    EXPECT_EQ(known.use_of(known.of("mobile").place), "slot mobile");
    EXPECT_EQ(known.use_of(known.of("Email address").place), "slot email_address");
    EXPECT_EQ(known.use_of(known.of("phone").place), "phone");
}

TEST(Columns, ThatMeanTheSameAreRefusedInWords) {
    EXPECT_TRUE(has(fault_of({"recipient_id", "email", "e-mail"}), "columns 2 and 3 both mean email"));
    EXPECT_TRUE(has(fault_of({"recipient_id", "전화번호", "휴대폰"}), "columns 2 and 3 both mean phone"));
    EXPECT_TRUE(has(fault_of({"recipient_id", "order_count", "Order-Count"}), "both mean slot order_count"));
    EXPECT_TRUE(has(fault_of({"recipient_id", "email", "email"}), "same name"));
    EXPECT_TRUE(has(fault_of({"user_id", "회원번호", "email"}), "columns 1 and 2 both mean recipient_id"));
}

TEST(Columns, ADoubtfulNameYieldsToTheOneThatIsMeant) {
    const auto known = some_columns();
    const names header{"user_id", "recipient_id", "email"};
    const auto places = audience::read_header(header, known);
    ASSERT_TRUE(places) << places.error().why();
    EXPECT_EQ(*places, (std::vector<std::size_t>{audience::unused, audience::col_id, audience::col_email}));
}

TEST(Columns, AHeaderThatIsNoneIsRefusedAndNeverQuoted) {
    EXPECT_TRUE(has(fault_of({"kim", "kim@example.com", "010-2345-6001"}), "column 2: this is not a column's name"));
    EXPECT_FALSE(has(fault_of({"kim", "kim@example.com"}), "kim@"));
    EXPECT_FALSE(has(fault_of({"planted", "name"}), "planted"));
    EXPECT_TRUE(has(fault_of({"recipient_id;email;phone"}), "semicolons"));
    EXPECT_TRUE(has(fault_of({"recipient_id\temail"}), "tabs"));
    EXPECT_TRUE(has(fault_of({"recipient_id|email"}), "bars"));
    EXPECT_TRUE(has(fault_of({"email", "recipent_id"}), "is column 2 meant?"));
    EXPECT_TRUE(has(fault_of({"email", "name"}), "recipient_id"));
    EXPECT_TRUE(has(fault_of({}), "recipient_id"));
}

TEST(Columns, ASeparatorTooManyAtTheEndNamesNothing) {
    const names header{"recipient_id", "email", "", ""};
    const auto places = audience::read_header(header, some_columns());
    ASSERT_TRUE(places);
    EXPECT_EQ((*places)[2], audience::nameless);
    EXPECT_EQ((*places)[3], audience::nameless);
    EXPECT_TRUE(has(fault_of({"recipient_id", "", "email"}), "column 2"));
}

TEST(Columns, ThatAreNotUsedAreNamedWithTheNearestOne) {
    const auto columns = columns_of({"recipient_id", "emial", "phone", "shoe_size", "work_email", "ordercuont"});
    const auto said = audience::warnings_about(columns, some_columns(), all_channels);
    ASSERT_EQ(said.size(), 6U);
    EXPECT_EQ(said[0], "the column \"emial\" is not used: is it meant as email?");
    EXPECT_EQ(said[1], "the column \"work_email\" is not used: is it meant as email?");
    EXPECT_EQ(said[2], "the column \"ordercuont\" is not used: is it meant as order_count?");
    EXPECT_EQ(said[3], "not used, because neither Semel nor the notice knows it: shoe_size");
    EXPECT_EQ(said[4], "no column is email: nobody of this file can be told by email");
    EXPECT_EQ(said[5], "no column is push: nobody of this file can be told by push");
    EXPECT_TRUE(audience::warnings_about(columns_of({"recipient_id", "email"}), some_columns(),
                                         std::array{base::channel::email})
                    .empty());
}

TEST(Columns, AFileWithoutAnyAddressColumnIsRefusedWithTheColumnsItHas) {
    const auto columns = columns_of({"recipient_id", "phone", "emial"});
    EXPECT_TRUE(audience::need_addresses(columns, all_channels));
    const auto refused = audience::need_addresses(columns, std::array{base::channel::email});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(has(refused.error().why(), "no column is email; the columns are recipient_id, phone, emial"))
        << refused.error().why();
}

TEST(Columns, OnlyWhatLooksLikeANameIsRepeated) {
    EXPECT_TRUE(audience::may_be_quoted("shoe_size_2026"));
    EXPECT_TRUE(audience::may_be_quoted("신발 크기"));
    EXPECT_FALSE(audience::may_be_quoted("kim@example.com"));
    EXPECT_FALSE(audience::may_be_quoted("010-2345-6001"));
    EXPECT_FALSE(audience::may_be_quoted(std::string(65, 'k')));
    EXPECT_FALSE(audience::may_be_quoted("a\nb"));
}
