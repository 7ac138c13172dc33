#pragma once
// What the engine needs of the world, in its own words: a log to read records from and to commit to, a store that may
// forget, tokens, what is known of campaigns, the time; and gateways (gateway.hpp). Behind them stand Kafka, Redis and
// the catalog (kafka/, redis/, service/connections), or a simulation of all of them in one thread (tests/simulation).
// One strand each.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <catalog/catalog.hpp>
#include <delivery/core/checkpoint.hpp>
#include <delivery/core/claim_value.hpp>
#include <delivery/engine/clock.hpp>
#include <delivery/engine/fact.hpp>
#include <kafka/types.hpp>
#include <redis/identity.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace semel::delivery {

/// Records that were read. All of it lives until the next call of next().
struct fetched {
    struct record {
        const kafka::topic_partition* from;
        kafka::offset at = 0;
        std::string_view value;
    };
    std::vector<record> records;
    std::span<const kafka::start> passed; ///< up to there, but for these records, is nothing
};
using log_event = std::variant<fetched, kafka::assigned, kafka::revoked, kafka::stopped>;

/// Reading, as a member of the group.
class log_reader {
  public:
    virtual ~log_reader() = default;
    virtual asio::awaitable<log_event> next() = 0;
    /// Answers `assigned`.
    virtual void begin(std::span<const kafka::start>) = 0;
    /// Answers `revoked`.
    virtual void release(const kafka::revoked&) = 0;
    virtual void pause(std::span<const kafka::topic_partition>) = 0;
    virtual void resume(std::span<const kafka::topic_partition>) = 0;
    virtual asio::awaitable<base::result<std::vector<kafka::commit>>>
        committed(std::vector<kafka::topic_partition>) = 0;
    /// What is begun from now on is committed as the member that we are at this moment. Once, at assignment: under a
    /// fresh membership Kafka would accept offsets of partitions that are no longer ours.
    virtual void bind_membership() = 0;
    virtual asio::awaitable<void> close() = 0;
    /// Out of the group for good, once closed: a static member's partitions wait for it otherwise.
    virtual asio::awaitable<base::result<void>> leave() = 0;
};

/// Writing, one transaction at a time (kafka/producer.hpp).
class log_writer {
  public:
    virtual ~log_writer() = default;
    virtual asio::awaitable<void> init() = 0;
    /// As the member that is bound now, however long it takes to write the records: the group may take the partitions
    /// away and give others meanwhile.
    virtual void begin() = 0;
    virtual asio::awaitable<void> produce(kafka::topic_partition to, std::string_view key, std::string_view value) = 0;
    virtual asio::awaitable<kafka::commit_result> commit(std::vector<kafka::commit> offsets) = 0;
    /// After `unknown`: whatever was in flight is decided then.
    virtual asio::awaitable<void> rebuild() = 0;
};

/// Names a claim: where its record stands, and what it is for.
struct claim_ref {
    kafka::offset at = 0;
    std::string field;       // notification id and attempt
    std::uint32_t parts = 1; // of the message
};

enum class claim_answer : unsigned char {
    mine,        ///< release the last bytes
    stale,       ///< the head is not the one we wrote: nothing was claimed; Redis lost it, or we lost the partition
    taken,       ///< it was claimed before: it may be out
    unreachable, ///< not known whether it was claimed: ask again
};

struct head {
    std::uint64_t owner = 0;
    delivery::marker marker{};
    redis::server_identity server;
    friend bool operator==(const head&, const head&) = default;
};

/// The claims of one partition under one owner.
class claim_store {
  public:
    virtual ~claim_store() = default;
    /// Taking over: writes our owner number into the head, or a new head with `fresh` where there is none. Answers
    /// what stood there before (nothing: no head); `permanent` when a larger owner stands there.
    virtual asio::awaitable<base::result<std::optional<head>>> raise(std::uint64_t owner, marker fresh) = 0;
    /// After a loss, while we live: a new head and all open claims in one step. `permanent`: a larger owner.
    virtual asio::awaitable<base::result<void>> rebuild(const head&,
                                                        std::vector<std::pair<claim_ref, std::string>> open) = 0;
    /// What the claims say, in the order asked; nothing: unclaimed. `malformed`: the head is not this one, so an absent
    /// claim proves nothing. Writes nothing: a head made here would make lost claims look like none.
    virtual asio::awaitable<base::result<std::vector<std::optional<std::string>>>> look_up(const head&,
                                                                                           std::vector<claim_ref>) = 0;
    /// The head that take() must find. Set after the commit that followed the writing of it.
    virtual void use(const head&) = 0;
    /// `gateway`: where it is about to go, so that a resend can stay with it. `again`: asked for before without an
    /// answer, so a claim of this owner is this one; otherwise it is another record's of the same message.
    virtual asio::awaitable<claim_answer> take(claim_ref, std::string gateway, bool again) = 0;
    /// Sends the outcome off; evidence, so nobody waits for it.
    virtual void note(claim_ref, const claim_outcome&) = 0;
    /// Forgets what lies below `next`, whose commit is known to have succeeded.
    virtual void drop_below(kafka::offset next) = 0;
};

/// Redis: fast, and it may forget.
class store {
  public:
    virtual ~store() = default;
    virtual asio::awaitable<void> connected() = 0;
    /// Why it cannot be asked; empty while it can.
    virtual const std::string& trouble() const noexcept = 0;
    /// That trouble() is over, for whoever is about to wait for it.
    virtual fact& recovery() = 0;
    virtual std::uint64_t generation() const noexcept = 0;
    virtual const redis::server_identity& identity() const noexcept = 0;
    virtual bool holds_all_of(const redis::server_identity&) const noexcept = 0;
    virtual asio::awaitable<bool> unchanged() = 0;
    virtual std::unique_ptr<claim_store> claims_of(const kafka::topic_partition&) = 0;
    /// Whether a resend became needless; false too when nobody answers.
    virtual asio::awaitable<bool> is_superseded(std::string notification) = 0;
};

inline fact& fact_of(store& s) {
    return s.recovery();
}

struct token_wish {
    /// Asked when a token is there: whoever does not need it any more leaves it to the next.
    std::function<bool()> wanted = {};
    bool first = false; ///< before all that wait
};

/// Rates that all dispatchers share.
class tokens {
  public:
    virtual ~tokens() = default;
    /// A bucket's name says what it limits ("gateway:relay-a", "gateway:relay-a:example.com", "campaign:c-..."); every
    /// process that uses the name must give the same limit.
    /// Takes one token, waiting at most `patience`. The time when it was granted: it is void `token_life` later, or a
    /// second would see the tokens of the one before. Or how long to stay away: there is none within patience.
    static constexpr std::chrono::milliseconds token_life{50};
    using taken = std::expected<base::instant, std::chrono::milliseconds>;
    virtual asio::awaitable<taken> take(std::string bucket, double per_second, std::chrono::milliseconds patience,
                                        token_wish) = 0;
    /// Tokens a second that this process gets lately of a bucket at its limit; nothing while the limit is far.
    virtual std::optional<double> share(const std::string& bucket) const = 0;
    /// Answers all that wait: there will be none. Whoever waits holds the buckets that hold its handler.
    virtual void abandon() = 0;
};

/// Campaigns and artifacts, as far as this process has heard of them.
class knowledge {
  public:
    virtual ~knowledge() = default;
    virtual asio::awaitable<void> loaded() = 0;
    virtual catalog::campaign_ptr find(const base::campaign_id&) const = 0;
    virtual std::vector<catalog::campaign_ptr> campaigns() const = 0;
    /// Counts changes of any campaign.
    virtual std::uint64_t version() const noexcept = 0;
    /// What is not known may be on its way: waits so long for it, then nothing.
    virtual asio::awaitable<catalog::campaign_ptr> find_within(base::campaign_id, std::chrono::milliseconds) = 0;
    virtual asio::awaitable<catalog::artifact_ptr> find_within(base::artifact_id, std::chrono::milliseconds) = 0;
};

struct ports {
    delivery::clock& clock;
    log_reader& reader;
    log_writer& writer;
    delivery::store& store;
    delivery::tokens& tokens;
    delivery::knowledge& knowledge;
};

} // namespace semel::delivery
