#include <gtest/gtest.h>
#include <receipts/edge/bookmark.hpp>

#include <stdexcept>

namespace semel::receipts {
namespace {

const kafka::topic_partition events{"events", 3};

kafka::commit metadata(std::string text) {
    return {.at = events, .next = 9, .metadata = std::move(text)};
}

TEST(Bookmark, IsReadAsItIsWritten) {
    for (const auto& mark : {bookmark{}, bookmark{.turn = 17, .reread = {}}, bookmark{.turn = 17, .reread = 4711},
                             bookmark{.turn = 0, .reread = 0}}) {
        EXPECT_EQ(bookmark_of(metadata(to_metadata(mark))), mark) << to_metadata(mark);
    }
    EXPECT_EQ(bookmark_of(metadata("")), bookmark{}); // of a first offset, as `semel up` writes it
    EXPECT_EQ(bookmark_of(metadata("17")), (bookmark{.turn = 17, .reread = {}}));
}

TEST(Bookmark, OfSomebodyElseIsRefused) {
    for (const auto* text : {"x", "17@", "@4711", "17@x", "17@4711@", "17 ", "-1"}) {
        EXPECT_THROW(bookmark_of(metadata(text)), std::runtime_error) << text;
    }
}

} // namespace
} // namespace semel::receipts
