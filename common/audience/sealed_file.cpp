#include "sealed_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace semel::audience {
namespace {

constexpr std::string_view magic = "SEMELUP1";
constexpr std::size_t frame_bytes = 64 * 1024;
constexpr std::size_t seal_overhead_bytes = 12 + 16;

std::string place_of(const upload_place& at) {
    return fmt::format("upload|{}|{}|", at.campaign.value(), at.number);
}
std::string frame_place(const std::string& place, std::uint64_t frame) {
    return place + std::to_string(frame);
}
std::string end_place(const std::string& place, std::uint64_t frame) {
    return frame_place(place, frame) + "|end";
}

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> shift & 0xff);
    }
}
std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes) {
        value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
}

auto cannot(std::string_view what, const std::filesystem::path& file) {
    return base::failed(base::fault::kind::broken,
                        fmt::format("cannot {} {}: {}", what, file.string(), std::generic_category().message(errno)));
}
auto malformed(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

/// What becomes part of a file's name is looked at once more, whatever was refused before.
const std::string& plain(const base::campaign_id& id) {
    if (!is_plain_id(id.value())) {
        throw std::logic_error{"a file is asked for by an id that is none of ours"};
    }
    return id.value();
}

} // namespace

bool is_plain_id(std::string_view id) {
    return !id.empty() && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

std::filesystem::path upload_file(const upload_place& at) {
    return std::filesystem::path{plain(at.campaign)} / std::to_string(at.number);
}

std::filesystem::path rejects_file(const upload_place& at) {
    return plain(at.campaign) + "-" + std::to_string(at.number) + ".csv";
}

struct sealed_writer::impl {
    std::filesystem::path file, part;
    crypto::campaign_key key;
    std::string place;
    int fd = -1;
    std::string pending;
    std::uint64_t frame = 0, size = 0;
    crypto::hasher hasher;
    bool finished = false;

    impl(std::filesystem::path f, const crypto::campaign_key& k, const upload_place& at)
        : file(std::move(f))
        , part(file.string() + ".part")
        , key(k)
        , place(place_of(at)) {}
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() {
        if (fd >= 0) {
            ::close(fd);
        }
        if (!finished) {
            std::error_code ignored;
            std::filesystem::remove(part, ignored);
        }
    }

    base::result<void> put(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::write(fd, bytes.data(), bytes.size());
            if (n < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return cannot("write", part);
            }
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return {};
    }

    base::result<void> put_frame(std::string_view plain, const std::string& associated) {
        const auto sealed = crypto::seal(key, plain, associated);
        std::string bytes;
        bytes.reserve(sealed.size() + 4);
        put_big_endian(bytes, sealed.size(), 4);
        bytes += sealed;
        ++frame;
        return put(bytes);
    }
};

base::result<void> put_in_place(const std::filesystem::path& whole, const std::filesystem::path& file) {
    if (std::rename(whole.c_str(), file.c_str()) != 0) {
        return cannot("rename to its place", whole);
    }
    const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return cannot("open the folder of", file);
    }
    const bool durable = ::fsync(folder) == 0;
    ::close(folder);
    if (!durable) {
        return cannot("make durable", file);
    }
    return {};
}

sealed_writer::sealed_writer(std::unique_ptr<impl> i)
    : impl_(std::move(i)) {}
sealed_writer::sealed_writer(sealed_writer&&) noexcept = default;
sealed_writer& sealed_writer::operator=(sealed_writer&&) noexcept = default;
sealed_writer::~sealed_writer() = default;

base::result<sealed_writer> sealed_writer::create(const std::filesystem::path& file, const crypto::campaign_key& key,
                                                  upload_place at) {
    auto made = std::make_unique<impl>(file, key, at);
    made->fd = ::open(made->part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (made->fd < 0) {
        return cannot("create", made->part);
    }
    if (auto ok = made->put(magic); !ok) {
        return base::failed(std::move(ok.error()));
    }
    return sealed_writer{std::move(made)};
}

base::result<void> sealed_writer::write(std::string_view plain) {
    auto& w = *impl_;
    w.hasher.update(plain);
    w.size += plain.size();
    while (!plain.empty()) {
        const auto part = plain.substr(0, frame_bytes - w.pending.size());
        w.pending += part;
        plain.remove_prefix(part.size());
        if (w.pending.size() == frame_bytes) {
            if (auto ok = w.put_frame(w.pending, frame_place(w.place, w.frame)); !ok) {
                return ok;
            }
            w.pending.clear();
        }
    }
    return {};
}

base::result<crypto::digest> sealed_writer::finish() {
    auto& w = *impl_;
    if (!w.pending.empty()) {
        if (auto ok = w.put_frame(w.pending, frame_place(w.place, w.frame)); !ok) {
            return base::failed(std::move(ok.error()));
        }
        w.pending.clear();
    }
    const auto digest = w.hasher.finish();
    std::string end;
    put_big_endian(end, w.size, 8);
    end += base::as_view(digest);
    if (auto ok = w.put_frame(end, end_place(w.place, w.frame)); !ok) {
        return base::failed(std::move(ok.error()));
    }
    if (::fsync(w.fd) != 0) {
        return cannot("write", w.part);
    }
    if (auto there = put_in_place(w.part, w.file); !there) {
        return base::failed(std::move(there.error()));
    }
    w.finished = true;
    return digest;
}

std::uint64_t sealed_writer::size() const noexcept {
    return impl_->size;
}

sealed_reader::sealed_reader(std::ifstream file, const crypto::campaign_key& key, upload_place at)
    : file_(std::make_unique<std::ifstream>(std::move(file)))
    , key_(key)
    , place_(place_of(at)) {}

base::result<sealed_reader> sealed_reader::open(const std::filesystem::path& path, const crypto::campaign_key& key,
                                                upload_place at) {
    std::ifstream file{path, std::ios::binary};
    if (!file) {
        return cannot("open the stored upload", path);
    }
    std::array<char, magic.size()> head{};
    file.read(head.data(), head.size());
    if (!file || std::string_view{head.data(), head.size()} != magic) {
        return malformed("the stored upload does not start as one: upload the file again");
    }
    return sealed_reader{std::move(file), key, std::move(at)};
}

base::result<std::string_view> sealed_reader::next() {
    if (ended_) {
        return std::string_view{};
    }
    const auto cut_off = [] { return malformed("the stored upload is cut off: upload the file again"); };
    std::array<char, 4> head{};
    if (!file_->read(head.data(), head.size())) {
        return cut_off();
    }
    const auto length = big_endian({head.data(), head.size()});
    if (length <= seal_overhead_bytes || length > frame_bytes + seal_overhead_bytes) {
        return malformed("the stored upload is damaged: upload the file again");
    }
    sealed_.resize(length);
    if (!file_->read(sealed_.data(), static_cast<std::streamsize>(length))) {
        return cut_off();
    }
    const bool may_be_the_end = length == 8 + 32 + seal_overhead_bytes;
    if (auto opened = crypto::open(key_, sealed_, frame_place(place_, frame_))) {
        plain_ = std::move(*opened);
        ++frame_;
        size_ += plain_.size();
        hasher_.update(plain_);
        return std::string_view{plain_};
    }
    const auto end = may_be_the_end ? crypto::open(key_, sealed_, end_place(place_, frame_))
                                    : base::result<std::string>{malformed("no end")};
    if (!end) {
        return malformed("the stored upload does not open (damaged, or of another campaign): upload the file again");
    }
    digest_ = hasher_.finish();
    const std::string_view told{*end};
    if (big_endian(told.substr(0, 8)) != size_ || told.substr(8) != base::as_view(digest_)) {
        return malformed("the stored upload is not what was uploaded: upload the file again");
    }
    if (file_->peek() != std::ifstream::traits_type::eof()) {
        return malformed("something follows the end of the stored upload: upload the file again");
    }
    ended_ = true;
    return std::string_view{};
}

} // namespace semel::audience
