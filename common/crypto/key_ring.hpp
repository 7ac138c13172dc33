#pragma once
// The key-encryption keys of an installation: one writes, all open. None of them is used itself: what wraps campaigns'
// keys, what authenticates records (one key for each topic) and what hashes destinations is derived from it.
//
// A key file holds 64 hex characters, or `retired:` and 64 hex characters: what is left of a key when nothing is
// wrapped under it any more. Such a key opens no campaign; it only tells that records which still lie in Kafka are
// genuine.
//
// A ring is a handle: copies share the keys, and load() into one changes all, at once and for all threads.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <crypto/campaign_key.hpp>
#include <crypto/hash.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::crypto {

/// Eight bytes that name a key and give nothing of it away.
using key_id = base::byte_array<8>;

class key_ring {
  public:
    /// The first writes. broken: a file is missing, readable by others, or holds no key; the first is retired.
    static base::result<key_ring> load(const std::vector<std::filesystem::path>& files);
    /// For tests and tools: of these keys, the first writes.
    explicit key_ring(const std::vector<key256>& keys);
    static key_ring random();
    /// Holds no key yet: every use throws std::logic_error.
    key_ring();

    /// Called when a MAC names a key that the ring lacks, before it is called unknown: the files may have changed
    /// since. May call reload(). Set once, before the ring is used by several threads.
    void look_again_with(std::function<void()>) const;

    /// Replaces the keys by what the files hold now. When that fails, everything stays as it was.
    base::result<void> reload(const std::vector<std::filesystem::path>& files) const;

    struct key_info {
        key_id id{};
        bool retired = false;
    };
    /// In the order of the files.
    std::vector<key_info> keys() const;
    key_id writing() const;
    /// Changes with every reload.
    std::uint64_t version() const noexcept;

    /// A campaign's key under the writing key, bound to the campaign's id.
    std::string wrap(const campaign_key&, const base::campaign_id&) const;
    /// permanent: the key was destroyed. malformed: no key of the ring opens it, or it is another campaign's.
    base::result<campaign_key> unwrap(std::string_view wrapped, const base::campaign_id&) const;
    /// Whether the writing key is the one it lies under, in the present form.
    bool is_current(std::string_view wrapped) const;
    /// The key that it lies under; nothing for the form of older versions, which names none.
    static std::optional<key_id> key_of(std::string_view wrapped);

    /// Authenticates records of a topic: what mac() returns is shown to verify() again. `fields` is hashed with
    /// lengths.
    std::string mac(std::string_view topic, std::initializer_list<std::string_view> fields) const;
    enum class authenticity : unsigned char { genuine, forged, unknown_key };
    authenticity verify(std::string_view topic, std::initializer_list<std::string_view> fields,
                        std::string_view mac) const;

    /// Hashes destinations (correlation/number_hash). Taken from the last key in the list: a new key changes no stored
    /// hash until the old key is taken out.
    struct named_key {
        std::string id; // four bytes, kept beside every hash
        key256 key;
    };
    named_key destinations() const;

  private:
    struct set;
    struct shared;
    std::shared_ptr<shared> shared_;
};

/// A new key for a file of its own (0600), or what is left of the file's key when it is retired.
base::result<void> make_key_file(const std::filesystem::path&);
base::result<void> retire_key_file(const std::filesystem::path&);

} // namespace semel::crypto
