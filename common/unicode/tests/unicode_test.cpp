#include <gtest/gtest.h>
#include <unicode/unicode.hpp>

using namespace semel;

TEST(Unicode, LooseJamoAndAccentsBecomeTheLettersThatPeopleRead) {
    EXPECT_EQ(unicode::composed("\u1100\u1175\u11b7\u1112\u1161\u1102\u1161"), "김하나");
    EXPECT_EQ(unicode::composed("Rene\u0301"), "Ren\u00e9");
    EXPECT_EQ(unicode::composed("김하나 René"), "김하나 René");
    EXPECT_EQ(unicode::composed("Kim \n\t"), "Kim \n\t");
    EXPECT_EQ(unicode::composed(""), "");
}

// Compatibility forms are other characters that people meant: composition leaves them.
TEST(Unicode, CompositionChangesNoMeaning) {
    EXPECT_EQ(unicode::composed("\uff21\u2460\ufb01"), "\uff21\u2460\ufb01");
    EXPECT_EQ(unicode::composed("\u2764\ufe0f"), "\u2764\ufe0f");
}

TEST(Unicode, NamesThatDifferInSpellingOnlyFoldToOne) {
    for (const char* spelled : {"email", "Email", "E-MAIL", "e_mail", " e mail ", "\ufeff\u00a0Email\u200b",
                                "\uff25\uff4d\uff41\uff49\uff4c", "e\u2010mail", "\"email\"", "email:"}) {
        EXPECT_EQ(unicode::folded(spelled), "email") << spelled;
    }
    EXPECT_EQ(unicode::folded("휴대폰 번호"), "휴대폰번호");
    EXPECT_EQ(unicode::folded("\u1112\u1172\u1103\u1162\u1111\u1169\u11ab"), "휴대폰");
    EXPECT_EQ(unicode::folded("Te\u0301le\u0301phone"), "téléphone");
    EXPECT_NE(unicode::folded("email2"), "email");
    EXPECT_EQ(unicode::folded(" -_ "), "");
}

TEST(Unicode, BlanksAtEitherEndAreTakenOffWhateverTheyAre) {
    EXPECT_EQ(unicode::trimmed("  kim  "), "kim");
    EXPECT_EQ(unicode::trimmed("\ufeff\u00a0\u3000\u200b\tkim lee\r\n\u2060"), "kim lee");
    EXPECT_EQ(unicode::trimmed("\u3000\u00a0"), "");
    EXPECT_EQ(unicode::trimmed(""), "");
    EXPECT_EQ(unicode::trimmed("\u2764\ufe0f"), "\u2764\ufe0f") << "a variation selector belongs to its sign";
    EXPECT_EQ(unicode::trimmed("\xff kim \xff"), "\xff kim \xff") << "what is not UTF-8 is left for others to refuse";
}
