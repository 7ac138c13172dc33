#include "key_ring.hpp"

#include "derive.hpp"

#include <base/bytes.hpp>

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace semel::crypto {
namespace {

using base::failed;
using kind = base::fault::kind;

constexpr std::string_view retired_mark = "retired:";
constexpr char mac_format = 1;
constexpr char wrap_format = 2;
constexpr std::size_t id_size = std::tuple_size_v<key_id>;
constexpr std::size_t mac_size = 1 + id_size + 32;
constexpr std::size_t wrapped_before = 12 + 32 + 16; // of older versions: sealed under the key itself, no id

struct free_mac {
    void operator()(EVP_MAC* m) const noexcept { EVP_MAC_free(m); }
    void operator()(EVP_MAC_CTX* c) const noexcept { EVP_MAC_CTX_free(c); }
};
using mac_ptr = std::unique_ptr<EVP_MAC_CTX, free_mac>;

void require(bool ok) {
    if (!ok) {
        throw std::runtime_error{"HMAC failed in OpenSSL; check that libcrypto 3 is whole"};
    }
}

/// HMAC-SHA-256 with its key taken in: copying it is cheaper than beginning anew for each record.
mac_ptr begun_mac(const key256& key) {
    static const std::unique_ptr<EVP_MAC, free_mac> hmac{EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr)};
    require(hmac != nullptr);
    mac_ptr ctx{EVP_MAC_CTX_new(hmac.get())};
    std::string hash{"SHA256"};
    const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
                            OSSL_PARAM_construct_end()};
    require(ctx && EVP_MAC_init(ctx.get(), reinterpret_cast<const unsigned char*>(key.view().data()), key.view().size(),
                                params.data()) == 1);
    return ctx;
}

digest mac_of(const EVP_MAC_CTX* begun, std::initializer_list<std::string_view> fields) {
    const mac_ptr ctx{EVP_MAC_CTX_dup(begun)};
    require(ctx != nullptr);
    const auto add = [&](const void* data, std::size_t size) {
        require(size == 0 || EVP_MAC_update(ctx.get(), static_cast<const unsigned char*>(data), size) == 1);
    };
    for (const auto field : fields) {
        std::array<unsigned char, 8> length{};
        for (std::size_t i = 0; i < length.size(); ++i) {
            length[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(field.size()) >> (56 - 8 * i) & 0xff);
        }
        add(length.data(), length.size());
        add(field.data(), field.size());
    }
    digest out{};
    std::size_t size = 0;
    require(EVP_MAC_final(ctx.get(), out.data(), &size, out.size()) == 1 && size == out.size());
    return out;
}

std::string bound_to(const base::campaign_id& campaign) {
    return "campaign-key|" + campaign.value();
}

/// One key of a ring, and what is derived from it.
struct ring_key {
    std::optional<key256> whole; // nothing: retired
    std::optional<key256> wrapping;
    key256 shared; // what outlives retirement: the root of everything but wrapping
    key_id id{};

    static ring_key of(const key256& kek) {
        ring_key k;
        k.whole = kek;
        k.wrapping = derive(kek, "semel: wrap campaign keys");
        k.shared = derive(kek, "semel: records and destinations");
        k.name();
        return k;
    }
    static ring_key retired(const key256& shared) {
        ring_key k;
        k.shared = shared;
        k.name();
        return k;
    }

  private:
    void name() { std::ranges::copy_n(derive(shared, "semel: key id").view().begin(), id_size, id.begin()); }
};

base::result<std::string> secret_text(const std::filesystem::path& file) {
    using std::filesystem::perms;
    std::error_code ec;
    const auto status = std::filesystem::status(file, ec);
    const auto name = file.string();
    if (ec || !std::filesystem::is_regular_file(status)) {
        return failed(kind::broken, name + ": no such key file; `semel keys new FILE` makes one");
    }
    if ((status.permissions() & (perms::group_all | perms::others_all)) != perms::none) {
        return failed(kind::broken, name + ": others can read the key; run chmod 600 on it");
    }
    std::string text;
    if (!(std::ifstream{file} >> text)) {
        return failed(kind::broken, name + ": is empty, or this user may not read it: it belongs to who runs the "
                                           "services");
    }
    return text;
}

base::result<ring_key> read_key(const std::filesystem::path& file) {
    const auto text = secret_text(file);
    if (!text) {
        return failed(text.error());
    }
    std::string_view hex = *text;
    const bool retired = hex.starts_with(retired_mark);
    if (retired) {
        hex.remove_prefix(retired_mark.size());
    }
    const auto bytes = base::from_hex(hex);
    if (!bytes || bytes->size() != 32) {
        return failed(kind::broken, file.string() + ": the key must be 64 hex characters");
    }
    const auto key = key256::from(*bytes);
    return retired ? ring_key::retired(*key) : ring_key::of(*key);
}

base::result<void> write_secret(const std::filesystem::path& file, std::string_view text) {
    // Renamed into place: whoever reads it meanwhile has the old or the new one, whole.
    const auto fresh = file.string() + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    // Root retires a key that services of another user read: it stays theirs.
    if (struct stat before{}; good && ::stat(file.c_str(), &before) == 0 && before.st_uid != ::geteuid()) {
        good = ::fchown(fd, before.st_uid, before.st_gid) == 0;
    }
    good = good && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    if (fd >= 0) {
        good = ::close(fd) == 0 && good;
    }
    good = good && ::rename(fresh.c_str(), file.c_str()) == 0;
    if (!good) {
        const auto why = std::generic_category().message(errno);
        ::unlink(fresh.c_str());
        return failed(kind::broken, file.string() + ": the key file cannot be written: " + why);
    }
    return {};
}

std::string in_hex(const key256& key) {
    return base::to_hex(key.view());
}

} // namespace

/// The keys at one moment, with the HMACs of the topics that were met.
struct key_ring::set {
    explicit set(std::vector<ring_key> k)
        : keys(std::move(k))
        , destinations{.id = std::string{base::as_view(keys.back().id).substr(0, 4)},
                       .key = derive(keys.back().shared, "semel: destinations")} {}

    const ring_key* find(std::string_view id) const {
        const auto found = std::ranges::find_if(keys, [&](const ring_key& k) { return base::as_view(k.id) == id; });
        return found == keys.end() ? nullptr : &*found;
    }

    const EVP_MAC_CTX* begun(const ring_key& key, std::string_view topic) const {
        const std::lock_guard lock{guard};
        auto& known = macs[key.id];
        auto found = known.find(topic);
        if (found == known.end()) {
            const auto own = derive(key.shared, "semel: records of topic " + std::string{topic});
            found = known.emplace(std::string{topic}, begun_mac(own)).first;
        }
        return found->second.get();
    }

    std::vector<ring_key> keys;
    named_key destinations;
    mutable std::mutex guard; // of the map alone: a begun MAC is only ever copied
    mutable std::map<key_id, std::map<std::string, mac_ptr, std::less<>>> macs;
};

struct key_ring::shared {
    std::shared_ptr<const set> now() const {
        const std::lock_guard lock{guard};
        if (!held) {
            throw std::logic_error{"a key ring is used that no key was loaded into"};
        }
        return held;
    }
    void replace(std::vector<ring_key> keys) {
        auto fresh = std::make_shared<const set>(std::move(keys));
        const std::lock_guard lock{guard};
        held = std::move(fresh);
        ++version;
    }
    static base::result<std::vector<ring_key>> read(const std::vector<std::filesystem::path>& files) {
        std::vector<ring_key> keys;
        for (const auto& file : files) {
            auto key = read_key(file);
            if (!key) {
                return failed(key.error());
            }
            if (std::ranges::find(keys, key->id, &ring_key::id) != keys.end()) {
                return failed(kind::broken, file.string() + ": the same key stands in the list twice");
            }
            keys.push_back(std::move(*key));
        }
        if (keys.empty()) {
            return failed(kind::broken, "no key file is named: set key_encryption_key_file, or keys");
        }
        if (!keys.front().whole) {
            return failed(kind::broken, files.front().string() + ": this key is retired, and the first one in the list "
                                                                 "writes: put another before it");
        }
        return keys;
    }

    mutable std::mutex guard;
    std::function<void()> look_again;
    std::shared_ptr<const set> held;
    std::atomic<std::uint64_t> version = 0;
};

key_ring::key_ring()
    : shared_(std::make_shared<shared>()) {}

key_ring::key_ring(const std::vector<key256>& keys)
    : shared_(std::make_shared<shared>()) {
    std::vector<ring_key> all;
    for (const auto& key : keys) {
        all.push_back(ring_key::of(key));
    }
    if (all.empty()) {
        throw std::logic_error{"a key ring needs a key"};
    }
    shared_->replace(std::move(all));
}

key_ring key_ring::random() {
    return key_ring{{key256::random()}};
}

base::result<key_ring> key_ring::load(const std::vector<std::filesystem::path>& files) {
    key_ring made;
    if (auto read = made.reload(files); !read) {
        return failed(read.error());
    }
    return made;
}

void key_ring::look_again_with(std::function<void()> look) const {
    shared_->look_again = std::move(look);
}

base::result<void> key_ring::reload(const std::vector<std::filesystem::path>& files) const {
    auto keys = shared::read(files);
    if (!keys) {
        return failed(keys.error());
    }
    shared_->replace(std::move(*keys));
    return {};
}

std::vector<key_ring::key_info> key_ring::keys() const {
    std::vector<key_info> all;
    for (const auto& key : shared_->now()->keys) {
        all.push_back({.id = key.id, .retired = !key.whole});
    }
    return all;
}

key_id key_ring::writing() const {
    return shared_->now()->keys.front().id;
}

std::uint64_t key_ring::version() const noexcept {
    return shared_->version;
}

std::string key_ring::wrap(const campaign_key& key, const base::campaign_id& campaign) const {
    const auto now = shared_->now();
    const auto& writing = now->keys.front();
    std::string plain(1, static_cast<char>(key.how()));
    plain += key.bytes().view();
    std::string out(1, wrap_format);
    out += base::as_view(writing.id);
    return out + seal(*writing.wrapping, plain, bound_to(campaign));
}

base::result<campaign_key> key_ring::unwrap(std::string_view wrapped, const base::campaign_id& campaign) const {
    if (wrapped.empty()) {
        return failed(kind::permanent, "the key of campaign " + campaign.value() + " was destroyed");
    }
    const auto now = shared_->now();
    const auto unusable = [&](const std::string& why) {
        return failed(kind::malformed, "key of campaign " + campaign.value() + ": " + why);
    };
    if (wrapped.size() == wrapped_before) {
        for (const auto& key : now->keys) {
            if (!key.whole) {
                continue;
            }
            if (const auto plain = open(*key.whole, wrapped, bound_to(campaign))) {
                return campaign_key{*key256::from(*plain), campaign_key::scheme::same};
            }
        }
        return unusable("no key of the list opens it");
    }
    if (wrapped.size() <= 1 + id_size || wrapped.front() != wrap_format) {
        return unusable("it is wrapped in a way that this version does not know");
    }
    const auto id = wrapped.substr(1, id_size);
    const auto* key = now->find(id);
    if (key == nullptr || !key->wrapping) {
        return unusable("it lies under key " + base::to_hex(id) +
                        (key == nullptr ? ", which is not in the list of keys" : ", which is retired"));
    }
    const auto plain = open(*key->wrapping, wrapped.substr(1 + id_size), bound_to(campaign));
    if (!plain) {
        return unusable(plain.error().why());
    }
    const auto bytes = key256::from(std::string_view{*plain}.substr(std::min<std::size_t>(plain->size(), 1)));
    const auto how = plain->empty() ? '\0' : plain->front();
    if (!bytes || (how != static_cast<char>(campaign_key::scheme::same) &&
                   how != static_cast<char>(campaign_key::scheme::derived))) {
        return unusable("it was made by a newer version of Semel");
    }
    return campaign_key{*bytes, static_cast<campaign_key::scheme>(how)};
}

std::optional<key_id> key_ring::key_of(std::string_view wrapped) {
    if (wrapped.size() <= 1 + id_size || wrapped.size() == wrapped_before || wrapped.front() != wrap_format) {
        return std::nullopt;
    }
    return base::as_array<id_size>(wrapped.substr(1, id_size));
}

bool key_ring::is_current(std::string_view wrapped) const {
    return key_of(wrapped) == writing();
}

std::string key_ring::mac(std::string_view topic, std::initializer_list<std::string_view> fields) const {
    const auto now = shared_->now();
    const auto& writing = now->keys.front();
    std::string out(1, mac_format);
    out += base::as_view(writing.id);
    return out.append(base::as_view(mac_of(now->begun(writing, topic), fields)));
}

key_ring::authenticity key_ring::verify(std::string_view topic, std::initializer_list<std::string_view> fields,
                                        std::string_view mac) const {
    if (mac.size() != mac_size || mac.front() != mac_format) {
        return authenticity::forged;
    }
    auto now = shared_->now();
    const auto id = mac.substr(1, id_size);
    const auto* key = now->find(id);
    if (key == nullptr && shared_->look_again) {
        shared_->look_again();
        now = shared_->now();
        key = now->find(id);
    }
    if (key == nullptr) {
        return authenticity::unknown_key;
    }
    const auto right = mac_of(now->begun(*key, topic), fields);
    return equal_in_constant_time(base::as_view(right), mac.substr(1 + id_size)) ? authenticity::genuine
                                                                                 : authenticity::forged;
}

key_ring::named_key key_ring::destinations() const {
    return shared_->now()->destinations;
}

base::result<void> make_key_file(const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
        return failed(kind::broken, file.string() + ": is there already; a key is never written over");
    }
    return write_secret(file, in_hex(key256::random()) + "\n");
}

base::result<void> retire_key_file(const std::filesystem::path& file) {
    auto key = read_key(file);
    if (!key) {
        return failed(key.error());
    }
    if (!key->whole) {
        return failed(kind::broken, file.string() + ": is retired already");
    }
    return write_secret(file, std::string{retired_mark} + in_hex(key->shared) + "\n");
}

} // namespace semel::crypto
