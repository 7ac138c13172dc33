// What bounds a file of people, beside its size.

#include "pieces.hpp"

#include <audience/import.hpp>

#include <gtest/gtest.h>

namespace semel::audience {
namespace {

/// How many rows were read, or why not all.
std::string read(std::string text, std::uint64_t most_rows = limits{}.rows) {
    terms t;
    t.most_rows = most_rows;
    t.locale = [](std::string_view) { return std::string{"ko"}; };
    importer rows{testing::pieces(std::move(text)), format::csv, std::move(t)};
    v1::Recipient one;
    for (;;) {
        const auto step = rows.next(one);
        if (!step) {
            return step.error().why();
        }
        if (*step == importer::step::end) {
            return std::to_string(rows.totals().rows);
        }
    }
}

TEST(Limits, AFileOfMoreRowsIsRefused) {
    const std::string file = "recipient_id,email\n1,a@example.com\n2,b@example.com\n";
    EXPECT_EQ(read(file, 2), "2");
    EXPECT_TRUE(read(file, 1).contains("more than 1 rows"));
}

// Each column is compared with each: a header of 256 KiB held intake up for minutes.
TEST(Limits, AHeaderOfManyColumnsIsRefused) {
    std::string header = "recipient_id,email", row = "1,a@example.com";
    for (int i = 2; i < 1'000; ++i) {
        header += ",c" + std::to_string(i);
        row += ",";
    }
    EXPECT_EQ(read(header + "\n" + row + "\n"), "1");
    EXPECT_TRUE(read(header + ",c\n" + row + ",\n").contains("1001 columns, at most 1000"));
}

} // namespace
} // namespace semel::audience
