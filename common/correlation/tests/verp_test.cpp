#include <base/ids.hpp>

#include <correlation/verp.hpp>
#include <gtest/gtest.h>

#include <cctype>

namespace semel::correlation {
namespace {

TEST(Verp, NamesTheNotificationAndNothingElse) {
    base::byte_array<32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 7);
    }
    const base::notification_id id{bytes};
    const verp ours{"a key of sixteen bytes"};
    const auto path = ours.return_path(id, "bounces.example.com");
    EXPECT_TRUE(path.starts_with("bounce+"));
    EXPECT_TRUE(path.ends_with("@bounces.example.com"));
    EXPECT_LE(path.find('@'), 64U);
    const auto back = ours.decode(path);
    ASSERT_TRUE(back);
    EXPECT_EQ(base::as_view(*back), base::as_view(id).substr(0, 16));
    auto folded = path;
    for (auto& c : folded) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    EXPECT_TRUE(ours.decode(folded)) << "relays fold the case";

    EXPECT_FALSE(verp{"another key, also long"}.decode(path));
    for (std::size_t i = 7; i < path.find('@'); ++i) { // each digit is guarded
        auto forged = path;
        forged[i] = forged[i] == '0' ? '1' : '0';
        EXPECT_FALSE(ours.decode(forged)) << i;
    }
    EXPECT_FALSE(ours.decode("bounce+@example.com"));
    EXPECT_FALSE(ours.decode("bounce+zz@example.com"));
    EXPECT_FALSE(ours.decode(""));
}

} // namespace
} // namespace semel::correlation
