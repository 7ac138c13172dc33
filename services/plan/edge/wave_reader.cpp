#include "wave_reader.hpp"

#include <runtime/together.hpp>
#include <wire/sealed.hpp>
#include <wire/topics.hpp>
#include <wire/uploads.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace semel::plan {

namespace asio = boost::asio;

namespace {

// A chunk is some 100 KiB: few records at once, so that memory stays flat.
constexpr std::size_t records_at_once = 16;
constexpr std::size_t prefetch_kib = 4'096;

} // namespace

wave_reader::wave_reader(asio::any_io_executor executor, const kafka_place& place)
    : topic_(place.topic(wire::audience))
    , reader_(std::move(executor),
              {.bootstrap = place.bootstrap, .batch = records_at_once, .prefetch_kib = prefetch_kib}) {}

void wave_reader::start(catalog::campaign_ptr campaign, const v1::Wave& wave, const std::vector<stretch>& stretches) {
    std::map<std::int32_t, stretch> asked;
    for (const auto& s : stretches) {
        if (s.next < s.end) {
            asked.emplace(s.partition, s);
        }
    }
    const auto upload = wire::upload_of(wave);
    const bool same = campaign_ && goes_on(*campaign, upload, asked);
    campaign_ = std::move(campaign); // perhaps a newer version of it
    held_.clear();
    if (same) {
        return;
    }
    ++begun_;
    upload_ = upload;
    fetched_.clear();
    behind_last_.clear();
    for (const auto& [partition, s] : asked) {
        behind_last_.emplace(partition, s.next);
    }
    asked_ = asked;
    left_ = std::move(asked);
    assign();
}

/// Whoever gave up what it was given asks for it again, and so for something else than what is left.
bool wave_reader::goes_on(const catalog::campaign& campaign, std::uint32_t upload,
                          const std::map<std::int32_t, stretch>& asked) const {
    return campaign_->id == campaign.id && upload_ == upload && held_.empty() && asked_ == asked;
}

bool wave_reader::reading() const {
    return !left_.empty();
}

void wave_reader::assign() {
    std::vector<kafka::start> positions;
    for (const auto& [partition, s] : left_) {
        positions.push_back({{topic_, partition}, s.next});
    }
    reader_.assign(positions);
}

void wave_reader::take(const kafka::record& r) {
    const auto found = left_.find(r.at().partition);
    if (found == left_.end() || r.offset() < found->second.next) {
        return;
    }
    auto& s = found->second;
    if (r.offset() < s.end) {
        raw_chunk c{r.at().partition, r.offset(), {}, {}, {}};
        const bool readable = c.record.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()));
        if (!readable) {
            c.unreadable = "it is not an AudienceRecord";
            c.record.Clear(); // what was parsed before the error says nothing, least of all how many rows there were
            c.raw = r.value();
        }
        if (!readable || (c.record.campaign_id() == campaign_->id.value() && c.record.upload() == upload_)) {
            if (c.record.first_row() > s.last_row) {
                held_.emplace(s.partition, behind_last_.at(s.partition));
                left_.erase(found);
                return;
            }
            fetched_.push_back(std::move(c));
            behind_last_.at(s.partition) = r.offset() + 1;
        }
    }
    s.next = r.offset() + 1;
    if (s.next >= s.end) {
        left_.erase(found);
    }
}

chunk wave_reader::open(const catalog::campaign& campaign, raw_chunk fetched) {
    chunk c{.partition = fetched.partition,
            .offset = fetched.offset,
            .content = {},
            .people = {},
            .unreadable = std::move(fetched.unreadable),
            .raw = std::move(fetched.raw),
            .rows = fetched.record.count()};
    if (!c.unreadable.empty()) {
        return c;
    }
    const auto give_up = [&](const std::string& why) {
        c.unreadable = why;
        c.raw = fetched.record.SerializeAsString();
        c.content.Clear();
        c.people.clear();
    };
    auto content = wire::open_chunk(*campaign.key, fetched.record);
    if (!content) {
        give_up(content.error().why());
        return c;
    }
    c.content = std::move(*content);
    c.people.reserve(static_cast<std::size_t>(c.content.recipients_size()));
    for (const auto& recipient : c.content.recipients()) {
        auto p = person_of(*campaign.key, campaign.state, recipient);
        if (!p) {
            give_up(p.error().why());
            return c;
        }
        c.people.push_back(std::move(*p));
    }
    return c;
}

asio::awaitable<std::vector<chunk>> wave_reader::next(std::size_t at_most) {
    while (fetched_.empty() && reading()) {
        const auto before = left_.size();
        for (const auto& r : co_await reader_.next()) {
            take(r);
        }
        if (left_.size() != before && reading()) {
            assign(); // what lies behind a stretch's end belongs to others: do not fetch it
        }
    }
    const auto until = fetched_.begin() + static_cast<std::ptrdiff_t>(std::min(at_most, fetched_.size()));
    std::vector<raw_chunk> raw{std::make_move_iterator(fetched_.begin()), std::make_move_iterator(until)};
    fetched_.erase(fetched_.begin(), until);
    for (const auto& given : raw) {
        const auto found = asked_.find(given.partition);
        found->second.next = given.offset + 1;
        if (found->second.next >= found->second.end) {
            asked_.erase(found);
        }
    }
    if (raw.empty()) {
        co_return std::vector<chunk>{};
    }
    co_return co_await runtime::on_thread(opener_, [campaign = campaign_, raw = std::move(raw)]() mutable {
        std::vector<chunk> chunks;
        chunks.reserve(raw.size());
        for (auto& fetched : raw) {
            chunks.push_back(open(*campaign, std::move(fetched)));
        }
        return chunks;
    });
}

} // namespace semel::plan
