#pragma once
// How a service takes records from Kafka and answers with records, exactly once: its share of some topics as a group
// hands it out, and transactions that carry what follows together with how far it has read.
//
// Written once, because each of these was forgotten somewhere once:
// - The membership is taken when the partitions are assigned and belongs to that tenure. Under fresh metadata Kafka
//   would accept offsets of partitions that are another's by now (docs/exactly-once.md).
// - One transaction is open at a time. One that was left open (its coroutine was cancelled) is aborted before the next.
// - A commit whose result is not known: a new producer decides it, and what the group has committed says how. Nothing
//   is begun before that, and whoever committed is told what is true.
// - Partitions are taken away only when the tenant has left them and the transaction under way has ended. What the
//   group decides is heard also while the tenant is busy with records, so that it can hurry.
// - Who was fenced, or overtaken, may do nothing more in that tenure: its tenant forgets it and takes the next.
// - A Kafka that is away is waited for, and the log says so. One that answers and commits nothing in a minute of tries
//   (kafka/patience): throws. The process starts anew and reads back what stands.
//
// One strand: everything, the tenant's calls too, runs on the executor; librdkafka's blocking calls run on threads of
// their own. It outlives run() and the use of its transactions; coroutines that never go on may be destroyed after it,
// as an io_context does with its last ones. A failure that cannot be waited out is a std::runtime_error, which ends
// the process; misuse is a std::logic_error.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>
#include <kafka/fate.hpp>
#include <kafka/types.hpp>
#include <runtime/mutex.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::kafka {

class transactor;

/// The time from which partitions are ours until they are not. Outlives itself in the hands of whoever worked for it:
/// then it is over.
class tenure {
  public:
    const std::vector<topic_partition>& partitions() const noexcept { return partitions_; }
    bool owns(const topic_partition&) const;
    /// What the group has committed, as read at the beginning and moved by our transactions since.
    const positions& committed() const noexcept { return committed_; }
    /// From there on, for tenant::take().
    std::vector<start> starts() const;
    /// Begin nothing more; finish what is at hand.
    bool ending() const noexcept { return ending_ || over_; }
    /// Nothing can be committed in it any more.
    bool over() const noexcept { return over_; }

  private:
    friend class transactor;
    friend class transaction;
    std::vector<topic_partition> partitions_; // sorted
    std::shared_ptr<const membership> as_;
    positions committed_;
    bool ending_ = false;
    bool over_ = false;
};
using tenure_ptr = std::shared_ptr<const tenure>;

/// What became of a transaction, for certain.
enum class settled {
    committed,
    undone, ///< never read by anybody, and a pause has passed: take back what it would have done, or do it again
    over,   ///< the tenure is over: forget what it would have done. What stands is what the next tenure begins with
};

/// Begun by transactor::begin(). Destroyed without an end, it is aborted.
class transaction {
  public:
    transaction(transaction&&) noexcept;
    transaction& operator=(transaction&&) noexcept;
    ~transaction();

    /// Key and value must live until it returns.
    boost::asio::awaitable<void> produce(topic_partition to, std::string_view key, std::string_view value);
    boost::asio::awaitable<void> produce_tombstone(topic_partition to, std::string_view key);
    /// Once. Offsets of partitions that the tenure does not own throw. They are what fences a former owner: without
    /// any, nothing does. Offsets that move nothing fence too, but if the answer is lost nobody can say whether they
    /// were committed, and `undone` may then be wrong: for records that bear repetition, or say something new in the
    /// metadata. Once Kafka has been asked to commit, a cancellation waits for its answer.
    boost::asio::awaitable<settled> commit(std::vector<kafka::commit> offsets);
    boost::asio::awaitable<void> abort();

  private:
    friend class transactor;
    struct open;
    explicit transaction(std::unique_ptr<open>);
    open& must_be_open(const char* call) const;
    std::unique_ptr<open> open_; // null: it has ended
};

/// Who works in a tenure. Called one at a time; the group waits for the answer of take() and leave(), and of read()
/// when it has decided something meanwhile: tenure::ending() says so.
class tenant {
  public:
    /// These partitions are ours, and nothing that a former owner began is undecided. Where to read each from.
    /// Transactions may be made from here on.
    virtual boost::asio::awaitable<std::vector<start>> take(tenure_ptr) = 0;
    virtual boost::asio::awaitable<void> read(tenure_ptr, records) = 0;
    /// The tenure ends: finish or give up what is at hand, soon, and forget the rest. Not over yet, it may still
    /// commit, for as long as transactor_options::drain.
    virtual boost::asio::awaitable<void> leave(tenure_ptr) = 0;

  protected:
    ~tenant() = default;
};

struct transactor_options {
    cluster bootstrap;
    std::string group;
    std::string instance; // group.instance.id: static membership, one for each process slot
    std::string transactional_id;
    std::vector<std::string> topics;
    std::size_t batch = 1'000;
    std::size_t prefetch_kib = 8'192;
    std::chrono::milliseconds session_timeout{10'000};
    bool tell_ends = false;
    /// The group's offsets say nothing that anybody relies on (the truth is in PostgreSQL): they are not read, they may
    /// be missing, and a commit whose answer was lost counts as undone.
    bool positions_elsewhere = false;
    bool reads = true;                      // no: partitions are only shared out, and nothing is fetched
    std::chrono::milliseconds drain{5'000}; // for leaving, and for stopping
    /// A tenant that is still in read() then gets no more records, and the group's word is listened for.
    std::chrono::milliseconds long_read{1'000};
    std::chrono::milliseconds transaction_timeout{15'000};
    std::chrono::milliseconds stall_after{60'000};
};

class transactor {
  public:
    transactor(boost::asio::any_io_executor, transactor_options);
    ~transactor();
    transactor(const transactor&) = delete;
    transactor& operator=(const transactor&) = delete;

    /// Joins the group and calls the tenant until `stop` completes; then lets it leave, and leaves the group.
    /// Cancelled, it only stops calling. Once.
    boost::asio::awaitable<void> run(tenant&, boost::asio::awaitable<void> stop);

    /// Waits for the transaction before it. Nothing when the tenure is over. Null: of no tenure, for what is true
    /// whoever owns the partitions; it can carry no offsets.
    boost::asio::awaitable<std::optional<transaction>> begin(tenure_ptr);

    /// What was read counts no more: the tenant leaves, and takes the same partitions in a new tenure.
    void again(const tenure_ptr&);
    /// Of partitions of the present tenure; in any other they do nothing.
    void seek(const tenure_ptr&, const topic_partition&, offset next);
    void pause(const tenure_ptr&, const topic_partition&);
    void resume(const tenure_ptr&, const topic_partition&);

    /// As consumer has them.
    std::optional<offset> end_read(const topic_partition&) const;
    boost::asio::awaitable<base::result<std::pair<offset, offset>>> watermarks(topic_partition);

  private:
    struct impl;
    friend class transaction;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::kafka
