#include <base/bytes.hpp>
#include <crypto/hash.hpp>
#include <notice/source.hpp>

#include <gtest/gtest.h>
#include <render/core/rendering.hpp>

using namespace semel;

namespace {

v1::NoticeSource source_of(const char* folder) {
    const auto files = notice::load_folder(folder).value();
    v1::NoticeSource source;
    source.set_campaign_id("c-aaaaaaaaaaaaaaaa");
    source.set_digest(std::string{base::as_view(notice::digest_of(files))});
    for (const auto& [name, bytes] : files) {
        (*source.mutable_files())[name] = bytes;
    }
    return source;
}

} // namespace

TEST(Rendering, NamesEveryArtifactByItsContent) {
    const auto out = render::render(source_of("notices/follow-up"));
    const auto& compiled = out.feedback.compiled();
    EXPECT_EQ(out.feedback.campaign_id(), "c-aaaaaaaaaaaaaaaa");
    EXPECT_EQ(compiled.problems_size(), 0);
    // 2 locales, 3 channels; without the segment, with it, and its supplement
    ASSERT_EQ(out.artifacts.size(), 18U);
    ASSERT_EQ(compiled.artifacts_size(), 18);
    for (int i = 0; i < 18; ++i) {
        const auto& record = out.artifacts[static_cast<std::size_t>(i)];
        EXPECT_EQ(record.key, base::as_view(crypto::sha256(record.value)));
        EXPECT_EQ(record.key, compiled.artifacts(i).artifact());
        v1::Artifact artifact;
        ASSERT_TRUE(artifact.ParseFromString(record.value));
        EXPECT_EQ(artifact.locale(), compiled.artifacts(i).locale());
        EXPECT_EQ(artifact.segments(), compiled.artifacts(i).segments());
        EXPECT_EQ(artifact.notice_digest(), compiled.notice_digest());
    }
}

TEST(Rendering, ABrokenNoticeGivesProblemsAndNoArtifact) {
    const auto out = render::render(source_of("common/notice/tests/data/broken"));
    EXPECT_TRUE(out.artifacts.empty());
    EXPECT_EQ(out.feedback.compiled().artifacts_size(), 0);
    EXPECT_GT(out.feedback.compiled().problems_size(), 10);
}

TEST(Rendering, ASourceWithoutDigestIsRefused) {
    auto source = source_of("notices/follow-up");
    source.clear_digest();
    EXPECT_EQ(render::render(source).feedback.compiled().problems_size(), 1);
}
