#include "folder.hpp"

#include <base/bytes.hpp>
#include <notice/compile.hpp>
#include <notice/markdown.hpp>
#include <notice/preview.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

using namespace semel;
using namespace semel::notice;

namespace {

notice_source the_example() {
    return check(load_folder("notices/follow-up").value()).source;
}

v1::Delivery a_delivery(base::channel channel, std::string name, std::string transport = {}) {
    v1::Delivery delivery;
    delivery.mutable_address()->set_given(channel == base::channel::email  ? "kim@example.com"
                                          : channel == base::channel::push ? "a1b2c3d4"
                                                                           : "+821000000000");
    delivery.mutable_address()->set_transport(std::move(transport));
    delivery.set_name(std::move(name));
    return delivery;
}

preview preview_of(const notice_source& source, const std::string& locale, base::channel channel,
                   std::uint32_t segments, bool supplement, std::string name = "Kim") {
    const auto delivery = a_delivery(channel, std::move(name));
    const auto artifact = compile_one(source, crypto::sha256("a notice"), locale, channel, segments, supplement);
    return render_preview(artifact, {.campaign = {},
                                     .notification = {},
                                     .planned_at = base::from_us(1'795'000'000'000'000),
                                     .delivery = &delivery,
                                     .test = false,
                                     .give_up = std::nullopt,
                                     .verification = "K7MP-3XWR-9HTC"})
        .value();
}

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

/// Compares with the file in tests/golden, or writes it when UPDATE_GOLDEN is set.
void expect_golden(const std::string& name, const std::string& bytes) {
    const std::filesystem::path file = "common/notice/tests/golden/" + name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) { // NOLINT(concurrency-mt-unsafe)
        std::filesystem::create_directories(file.parent_path());
        std::ofstream{file, std::ios::binary} << bytes;
    }
    EXPECT_EQ(bytes_of(file), bytes) << name << ": review the change, then run the test with UPDATE_GOLDEN=1";
}

} // namespace

TEST(Compile, MakesOneArtifactForEachLocaleChannelAndSetOfSegments) {
    const auto source = the_example();
    const auto digest = crypto::sha256("a notice");
    const auto all = compile(source, digest);
    ASSERT_EQ(all.size(), 18U); // 2 locales x 3 channels x (without, with, supplement)
    std::set<std::string> ids;
    for (const auto& one : all) {
        EXPECT_EQ(one.ref.artifact(), base::as_view(crypto::sha256(one.bytes)));
        v1::Artifact back;
        ASSERT_TRUE(back.ParseFromString(one.bytes));
        EXPECT_EQ(serialize(back), one.bytes);
        EXPECT_EQ(back.notice_digest(), base::as_view(digest));
        ids.insert(one.ref.artifact());
    }
    EXPECT_EQ(ids.size(), all.size());
    EXPECT_EQ(compile(source, digest)[7].bytes, all[7].bytes);
}

TEST(Compile, TheDigestOfAFolderChangesWithAnyByteOrName) {
    auto folder = test::a_folder();
    const auto before = digest_of(folder);
    EXPECT_EQ(digest_of(test::a_folder()), before);
    folder["sms.en.txt"] += " ";
    EXPECT_NE(digest_of(folder), before);
    folder = test::a_folder();
    folder["b"] = folder.extract("sms.en.txt").mapped();
    EXPECT_NE(digest_of(folder), before);
}

TEST(Compile, ASupplementSaysOnlyWhatItsSegmentsAdd) {
    const auto source = check(test::a_folder()).source;
    const auto email = preview_of(source, "en", base::channel::email, 1, true);
    EXPECT_NE(email.summary.find("Subject: Additional advice: Notice of data leak\n"), std::string::npos)
        << email.summary;
    const auto& text = email.files[1].bytes;
    EXPECT_EQ(text, "Change your code.\r\n\r\nContact\r\n-------\r\n\r\nPrivacy, phone 1577-0000.\r\n");
    EXPECT_EQ(preview_of(source, "en", base::channel::sms, 1, true).files[0].bytes,
              "[Garam] Additional advice: Change your code.\n");
    // The push has no section: it is sent whole, under the supplement's title.
    EXPECT_NE(preview_of(source, "en", base::channel::push, 1, true)
                  .summary.find(R"("title":"Additional advice: Data leak","body":"Your data leaked. Open the app.")"),
              std::string::npos);
}

TEST(Compile, AValueIsNeverMarkdownOrHtml) {
    const auto source = check(test::a_folder()).source;
    const auto shown = preview_of(source, "en", base::channel::email, 0, false, "**Kim** [x](https://e.example) <b>&");
    EXPECT_NE(shown.files[1].bytes.find("Dear **Kim** [x](https://e.example) <b>&, your"), std::string::npos);
    EXPECT_NE(shown.files[2].bytes.find("<p>Dear **Kim** [x](https://e.example) &lt;b&gt;&amp;, your"),
              std::string::npos);
}

TEST(Compile, HtmlSaysItsLanguageAndLoadsNothing) {
    const auto html = preview_of(the_example(), "ko", base::channel::email, 1, false).files[2].bytes;
    EXPECT_NE(html.find("<html lang=\"ko\" dir=\"ltr\">"), std::string::npos);
    EXPECT_NE(html.find("font-size:16px"), std::string::npos);
    for (const char* loads : {"<img", "<link", "<script", "url(", "src="}) {
        EXPECT_EQ(html.find(loads), std::string::npos) << loads;
    }
}

TEST(Markdown, BecomesPlainTextThatReadsWell) {
    const auto r =
        render_markdown("# Top {#contact}\n\nOne **bold**\ntwo `code`  \nthree [our site](https://example.com).\n\n"
                        "- a\n- b\n  - c\n\n1. x\n\n   y\n2. z\n\n> quoted\n\n***\n<https://example.com>\n");
    EXPECT_EQ(
        r.text,
        "Top\n---\n\nOne bold two code\nthree our site (https://example.com).\n\n- a\n- b\n  - c\n\n1. x\n\n   y\n\n"
        "2. z\n\n> quoted\n\n----\n\nhttps://example.com\n");
    EXPECT_EQ(r.html.find("{#contact}"), std::string::npos);
    EXPECT_EQ(render_markdown("<script>x</script>\n").html.find("script"), std::string::npos);
}

TEST(Golden, WhatPeopleGet) {
    const auto source = the_example();
    for (const std::string locale : {"ko", "en"}) {
        for (const auto channel : {base::channel::email, base::channel::push, base::channel::sms}) {
            const auto shown = preview_of(source, locale, channel, 1, false, locale == "ko" ? "김하늘" : "Ha-neul Kim");
            for (const auto& file : shown.files) {
                expect_golden(locale + "." + std::string{base::to_string(channel)} + "/" + file.name, file.bytes);
            }
        }
    }
}

TEST(Peer, PythonReadsTheSameMessage) {
    auto folder = test::a_folder();
    auto& yaml = folder["notice.yaml"];
    yaml.replace(yaml.find("Notice of data leak"), 19, "{{name}}: 개인정보 유출 안내 (notice of data leak)");
    yaml.replace(yaml.find("organisation: Garam"), 19, "organisation: '가람 \"Market\", Inc.'");
    const auto source = check(folder).source;
    const std::string name = "Kim\r\nBcc: x@example.com 김하늘 😀 =?utf-8?q?x?= " + std::string(300, 'n');
    const std::string clean = "Kim  Bcc: x@example.com 김하늘 😀 =?utf-8?q?x?= " + std::string(300, 'n');
    const auto shown = preview_of(source, "en", base::channel::email, 1, false, name);
    const auto file = std::filesystem::path{testing::TempDir()} / "semel-peer.eml";
    std::ofstream{file, std::ios::binary} << shown.files[0].bytes;
    const std::unique_ptr<FILE, int (*)(FILE*)> python{
        popen(("python3 common/notice/tests/read_email.py " + file.string()).c_str(), "r"), &pclose};
    ASSERT_NE(python, nullptr);
    std::map<std::string, std::string> seen;
    for (std::string line; true;) {
        const int c = std::fgetc(python.get());
        if (c == EOF) {
            break;
        }
        if (c != '\n') {
            line += static_cast<char>(c);
            continue;
        }
        const auto space = line.find(' ');
        seen[line.substr(0, space)] = line.substr(space + 1);
        line.clear();
    }
    const auto text_of = [&](const char* field) { return base::from_hex(seen[field]).value_or("not hex"); };
    const auto lf = [](std::string text) {
        std::erase(text, '\r');
        return text;
    };
    EXPECT_EQ(seen["defects"], "0");
    EXPECT_EQ(seen["headers"],
              "From,To,Subject,Date,Message-ID,MIME-Version,Content-Language,Auto-Submitted,Content-Type");
    EXPECT_EQ(seen["type"], "multipart/alternative");
    EXPECT_EQ(text_of("subject"), clean + ": 개인정보 유출 안내 (notice of data leak)");
    EXPECT_EQ(text_of("from"), "가람 \"Market\", Inc.");
    EXPECT_EQ(text_of("sender"), "notice@example.com");
    EXPECT_EQ(text_of("to"), "kim@example.com");
    EXPECT_EQ(lf(text_of("text")), lf(shown.files[1].bytes));
    EXPECT_EQ(lf(text_of("html")), lf(shown.files[2].bytes));
}

// A folder that was written on a Mac comes with loose jamo and accents. Who signs it signs the bytes it has.
TEST(Compile, TextsAreComposedAndTheDigestIsOfTheBytesGiven) {
    const auto folder_with = [](const std::string& word) {
        auto folder = test::with("sms.en.txt", "your data", word + ": your data");
        folder["notice.yaml"].replace(folder["notice.yaml"].find("Notice of"), 6, word);
        folder["push.en.yaml"] = "title: " + word + "\nbody: " + word + ". Your data leaked. Open the app.\n";
        folder["email.en.md"] += word + "\n";
        return folder;
    };
    const auto loose = folder_with("Rene\u0301 \u1100\u1175\u11b7");
    const auto composed = folder_with("Ren\u00e9 김");
    EXPECT_NE(digest_of(loose), digest_of(composed));
    const auto one = check(loose);
    const auto other = check(composed);
    ASSERT_TRUE(one.ok());
    for (const auto channel : {base::channel::email, base::channel::push, base::channel::sms}) {
        EXPECT_EQ(compile_one(one.source, {}, "en", channel, 0, false).SerializeAsString(),
                  compile_one(other.source, {}, "en", channel, 0, false).SerializeAsString())
            << base::to_string(channel);
    }
}
