#include <wire/event_batches.hpp>

#include <gtest/gtest.h>

#include <map>

namespace semel::wire {
namespace {

v1::Event event(const std::string& id, std::size_t size = 0) {
    v1::Event e;
    e.set_id(id);
    e.set_text(std::string(size, 'x'));
    return e;
}

std::vector<std::string> ids_in(const event_record& record) {
    v1::EventBatch batch;
    EXPECT_TRUE(batch.ParseFromString(record.value));
    std::vector<std::string> ids;
    for (const auto& e : batch.events()) {
        ids.push_back(e.id());
    }
    return ids;
}

TEST(EventBatches, KeepEachPartitionsEventsInOrder) {
    event_batches all{1'000};
    std::map<std::int32_t, std::vector<std::string>> added, found;
    for (int i = 0; i < 100; ++i) {
        const auto partition = i % 3;
        added[partition].push_back(std::to_string(i));
        all.add(partition, event(added[partition].back(), 90));
    }
    for (const auto& record : all.take()) {
        for (auto& id : ids_in(record)) {
            found[record.partition].push_back(std::move(id));
        }
    }
    EXPECT_EQ(found, added);
    EXPECT_TRUE(all.take().empty());
}

TEST(EventBatches, AreNoLargerThanTheLimitAndNotMuchSmaller) {
    event_batches all{10'000};
    for (int i = 0; i < 500; ++i) {
        all.add(0, event(std::to_string(i), 100 + 7 * static_cast<std::size_t>(i % 13)));
    }
    const auto records = all.take();
    ASSERT_GT(records.size(), 2U);
    for (const auto& record : records) {
        EXPECT_LE(record.value.size(), 10'000U);
        if (&record != &records.back()) {
            EXPECT_GT(record.value.size(), 9'000U);
        }
    }
}

TEST(EventBatches, AnEventBeyondTheLimitStandsAlone) {
    event_batches all{1'000};
    all.add(0, event("before"));
    all.add(0, event("large", 5'000));
    all.add(0, event("behind"));
    const auto records = all.take();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(ids_in(records[1]), std::vector<std::string>{"large"});
    EXPECT_EQ(ids_in(records[2]), std::vector<std::string>{"behind"});
}

TEST(EventBatches, WithoutEventsThereIsNoRecord) {
    EXPECT_TRUE(event_batches{}.take().empty());
}

} // namespace
} // namespace semel::wire
