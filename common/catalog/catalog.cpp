#include "catalog.hpp"

#include <base/fault.hpp>
#include <crypto/hash.hpp>
#include <kafka/consumer.hpp>
#include <kafka/trust.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/topics.hpp>

#include <chrono>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace semel::catalog {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct catalog::impl : std::enable_shared_from_this<impl> {
    impl(asio::any_io_executor ex, options o)
        : executor(ex)
        , options_(std::move(o))
        , campaign_changed(ex)
        , artifact_came(ex)
        , end_reached(ex) {}

    void take_campaign(const kafka::record& record) {
        if (record.is_tombstone()) {
            return; // a campaign is never unmade; its key is destroyed by a record without one
        }
        auto next = std::make_shared<campaign>();
        if (!next->state.ParseFromArray(record.value().data(), static_cast<int>(record.value().size())) ||
            next->state.id().empty()) {
            kafka::refuse(record, "it is not a campaign: written by a newer version of Semel?");
            return;
        }
        next->id = base::campaign_id{next->state.id()};
        const auto present = campaigns.find(next->id);
        const auto before = present == campaigns.end() ? campaign_ptr{} : present->second;
        const auto waiting = unopened.find(next->id);
        // The outbox may repeat a record: the highest version wins, whatever the order.
        if ((before && before->state.version() >= next->state.version()) ||
            (waiting != unopened.end() && waiting->second->state.version() >= next->state.version())) {
            return;
        }
        if (!next->state.wrapped_key().empty()) {
            if (auto key = options_.keys.unwrap(next->state.wrapped_key(), next->id)) {
                next->key = std::move(*key);
            } else if (before && before->key) {
                next->key = before->key; // a campaign has one key; what its state says must be obeyed
                kafka::refuse(record, key.error().why());
            } else {
                // Without a key it would look like one whose key was destroyed. Whoever asks for it waits.
                kafka::refuse(record, key.error().why());
                unopened.insert_or_assign(next->id, next);
                return;
            }
        }
        unopened.erase(next->id);
        campaigns.insert_or_assign(next->id, next);
        ++version;
        campaign_changed.notify();
    }

    /// Those whose key did not open: when the keys have changed, once more.
    asio::awaitable<void> open_again() {
        for (auto seen = options_.keys.version(); co_await runtime::sleep(1s);) {
            if (std::exchange(seen, options_.keys.version()) == options_.keys.version()) {
                continue;
            }
            for (auto it = unopened.begin(); it != unopened.end();) {
                auto key = options_.keys.unwrap(it->second->state.wrapped_key(), it->first);
                if (!key) {
                    ++it;
                    continue;
                }
                it->second->key = std::move(*key);
                campaigns[it->first] = std::move(it->second);
                it = unopened.erase(it);
                ++version;
                campaign_changed.notify();
            }
        }
    }

    void take_artifact(const kafka::record& record) {
        const auto id = base::from_bytes<base::artifact_id>(record.key());
        if (record.is_tombstone() || !id || artifacts.contains(*id)) {
            return;
        }
        auto next = std::make_shared<v1::Artifact>();
        // Named by its own hash: bytes that do not give it would be sent to everybody.
        if (crypto::sha256(record.value()) != id->value() ||
            !next->ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
            kafka::refuse(record, "it is not the artifact that its key names");
            return;
        }
        artifacts.emplace(*id, std::move(next));
        artifact_came.notify();
    }

    using taker = void (impl::*)(const kafka::record&);

    asio::awaitable<void> follow(std::string topic, taker take) {
        kafka::reader records{executor, {.bootstrap = options_.bootstrap}};
        if (auto begun = co_await records.from_beginning(topic); !begun) {
            throw std::runtime_error{begun.error().why()};
        }
        bool at_end = records.at_end();
        if (at_end) {
            reached_end();
        }
        for (;;) {
            const auto batch = co_await records.next();
            for (const auto& record : batch) {
                (this->*take)(record);
            }
            if (!at_end && (batch.empty() || records.at_end())) {
                at_end = true;
                reached_end();
            }
        }
    }

    void reached_end() {
        ++ended;
        end_reached.notify();
    }
    std::size_t topics() const noexcept { return options_.with_artifacts ? 2 : 1; }

    asio::any_io_executor executor;
    options options_;
    std::map<base::campaign_id, campaign_ptr> campaigns;
    std::map<base::campaign_id, std::shared_ptr<campaign>> unopened;
    std::unordered_map<base::artifact_id, artifact_ptr> artifacts;
    std::uint64_t version = 0;
    std::size_t ended = 0;
    runtime::condition campaign_changed;
    runtime::condition artifact_came;
    runtime::condition end_reached;
};

catalog::catalog(asio::any_io_executor ex, options o)
    : impl_(std::make_shared<impl>(std::move(ex), std::move(o))) {}
catalog::~catalog() = default;

asio::awaitable<void> catalog::run() {
    const auto self = impl_;
    self->ended = 0;
    std::vector<asio::awaitable<void>> both;
    both.push_back(self->follow(self->options_.prefix + std::string{wire::control}, &impl::take_campaign));
    if (self->options_.with_artifacts) {
        both.push_back(self->follow(self->options_.prefix + std::string{wire::artifacts}, &impl::take_artifact));
    }
    both.push_back(self->open_again());
    co_await runtime::first_of(std::move(both));
}

asio::awaitable<void> catalog::loaded() {
    const auto self = impl_;
    while (self->ended < self->topics()) {
        co_await self->end_reached.wait();
    }
}

campaign_ptr catalog::find(const base::campaign_id& id) const {
    const auto found = impl_->campaigns.find(id);
    return found == impl_->campaigns.end() ? nullptr : found->second;
}

artifact_ptr catalog::find(const base::artifact_id& id) const {
    const auto found = impl_->artifacts.find(id);
    return found == impl_->artifacts.end() ? nullptr : found->second;
}

std::vector<campaign_ptr> catalog::campaigns() const {
    std::vector<campaign_ptr> all;
    all.reserve(impl_->campaigns.size());
    for (const auto& [id, one] : impl_->campaigns) {
        all.push_back(one);
    }
    return all;
}

asio::awaitable<campaign_ptr> catalog::get(base::campaign_id id) {
    const auto self = impl_;
    for (;;) {
        if (auto found = find(id)) {
            co_return found;
        }
        co_await self->campaign_changed.wait();
    }
}

asio::awaitable<artifact_ptr> catalog::get(base::artifact_id id) {
    const auto self = impl_;
    for (;;) {
        if (auto found = find(id)) {
            co_return found;
        }
        co_await self->artifact_came.wait();
    }
}

std::uint64_t catalog::version() const noexcept {
    return impl_->version;
}

asio::awaitable<std::uint64_t> catalog::changed(std::uint64_t seen) {
    const auto self = impl_;
    while (self->version == seen) {
        co_await self->campaign_changed.wait();
    }
    co_return self->version;
}

} // namespace semel::catalog
