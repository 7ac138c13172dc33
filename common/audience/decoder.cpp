#include "decoder.hpp"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <stdexcept>

namespace semel::audience {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;
constexpr std::size_t longest_magic_bytes = 6;
constexpr std::string_view gzip_magic{"\x1f\x8b"};
constexpr std::string_view zstd_magic{"\x28\xb5\x2f\xfd"};

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

struct foreign {
    std::string_view magic;
    std::string_view name;
};
constexpr std::array foreigners{foreign{"PK\x03\x04", "a zip archive (or a spreadsheet)"},
                                foreign{"\xfd"
                                        "7zXZ",
                                        "xz-compressed"},
                                foreign{"BZh", "bzip2-compressed"}, foreign{"7z\xbc\xaf", "a 7z archive"},
                                foreign{"%PDF-", "a PDF"}};

} // namespace

/// One format: takes input, gives decoded pieces.
struct decoder::codec {
    virtual ~codec() = default;
    /// Hands over a piece of input; the former one must be used up.
    virtual void feed(std::string_view input) = 0;
    /// A decoded piece; empty: feed more.
    virtual base::result<std::string_view> decode() = 0;
    /// Whether the input may end here.
    virtual base::result<void> finish() const = 0;
};

namespace {

class plain final : public decoder::codec {
  public:
    void feed(std::string_view input) override { input_ = input; }
    base::result<std::string_view> decode() override {
        const auto piece = input_.substr(0, block_bytes);
        input_.remove_prefix(piece.size());
        return piece;
    }
    base::result<void> finish() const override { return {}; }

  private:
    std::string_view input_;
};

class gzip final : public decoder::codec {
  public:
    gzip() {
        if (inflateInit2(&z_, 16 + MAX_WBITS) != Z_OK) {
            throw std::runtime_error{"zlib cannot allocate its state"};
        }
    }
    gzip(const gzip&) = delete;
    gzip& operator=(const gzip&) = delete;
    ~gzip() override { inflateEnd(&z_); }

    void feed(std::string_view input) override {
        // zlib reads only, but its type has no const.
        z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        z_.avail_in = static_cast<uInt>(input.size());
    }

    base::result<std::string_view> decode() override {
        z_.next_out = reinterpret_cast<Bytef*>(out_.data());
        z_.avail_out = block_bytes;
        while (z_.avail_out != 0 && (z_.avail_in != 0 || more_)) {
            if (between_ && z_.avail_in != 0) {
                inflateReset(&z_);
                between_ = false;
            }
            const int rc = inflate(&z_, Z_NO_FLUSH);
            if (rc == Z_STREAM_END) {
                between_ = true;
                any_ = true;
                more_ = false;
            } else if (rc == Z_OK || rc == Z_BUF_ERROR) {
                more_ = z_.avail_out == 0; // a full block may hide more
                if (rc == Z_BUF_ERROR) {
                    break;
                }
            } else if (any_ && z_.total_out == 0) {
                return refused("something that is not gzip data follows the end of the gzip data: compress the file "
                               "anew and upload it whole");
            } else {
                return refused("the gzip data is damaged: compress the file anew and upload it whole");
            }
        }
        return std::string_view{out_.data(), block_bytes - z_.avail_out};
    }

    base::result<void> finish() const override {
        if (between_) {
            return {};
        }
        return refused("the gzip data is cut off before its end: upload the whole file");
    }

  private:
    z_stream z_{};
    std::array<char, block_bytes> out_;
    bool between_ = false; // a member has ended and no other has begun
    bool any_ = false;     // a member has ended
    bool more_ = false;    // zlib may hold decoded bytes back
};

class zstd final : public decoder::codec {
  public:
    void feed(std::string_view input) override { in_ = {input.data(), input.size(), 0}; }

    base::result<std::string_view> decode() override {
        ZSTD_outBuffer out{out_.data(), block_bytes, 0};
        while (out.pos != out.size && (in_.pos != in_.size || more_)) {
            const bool fresh = between_ && in_.pos != in_.size;
            const auto rc = ZSTD_decompressStream(context_.get(), &out, &in_);
            if (ZSTD_isError(rc) != 0) {
                if (fresh && any_) {
                    return refused("something that is not zstd data follows the end of the zstd data: compress the "
                                   "file anew and upload it whole");
                }
                return refused("the zstd data is damaged, or needs more than 128 MiB of window: compress the file "
                               "anew without --long and upload it whole");
            }
            between_ = rc == 0;
            any_ = any_ || between_;
            more_ = !between_ && out.pos == out.size;
        }
        return std::string_view{out_.data(), out.pos};
    }

    base::result<void> finish() const override {
        if (between_) {
            return {};
        }
        return refused("the zstd data is cut off before its end: upload the whole file");
    }

  private:
    struct free_context {
        void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, free_context> context_{ZSTD_createDCtx()};
    ZSTD_inBuffer in_{nullptr, 0, 0};
    std::array<char, block_bytes> out_;
    bool between_ = false;
    bool any_ = false;
    bool more_ = false;
};

} // namespace

decoder::decoder(byte_stream encoded, std::uint64_t most)
    : encoded_(std::move(encoded))
    , left_(most)
    , most_(most) {}
decoder::~decoder() = default;
decoder::decoder(decoder&&) noexcept = default;
decoder& decoder::operator=(decoder&&) noexcept = default;

base::result<std::string_view> decoder::counted(std::string_view decoded) {
    if (decoded.size() > left_) {
        return refused("the file unpacks to more than " + std::to_string(most_) +
                       " bytes: if that is meant, raise limits.decoded in semel.yaml, or split the file into several "
                       "waves");
    }
    left_ -= decoded.size();
    return decoded;
}

base::result<std::string_view> decoder::next() {
    if (!started_) {
        while (head_.size() < longest_magic_bytes) {
            const auto piece = encoded_();
            if (!piece) {
                return piece;
            }
            if (piece->empty()) {
                break;
            }
            head_ += *piece;
        }
        for (const auto& [magic, name] : foreigners) {
            if (head_.starts_with(magic)) {
                return refused("the file is " + std::string{name} +
                               ": upload CSV or NDJSON, plain or compressed with gzip or zstd");
            }
        }
        if (head_.starts_with(gzip_magic)) {
            codec_ = std::make_unique<gzip>();
        } else if (head_.starts_with(zstd_magic)) {
            codec_ = std::make_unique<zstd>();
        } else {
            codec_ = std::make_unique<plain>();
        }
        codec_->feed(head_);
        started_ = true;
    }
    for (;;) {
        auto decoded = codec_->decode();
        if (!decoded) {
            return decoded;
        }
        if (!decoded->empty()) {
            return counted(*decoded);
        }
        const auto piece = encoded_();
        if (!piece) {
            return piece;
        }
        if (piece->empty()) {
            if (const auto whole = codec_->finish(); !whole) {
                return base::failed(whole.error());
            }
            return std::string_view{};
        }
        codec_->feed(*piece);
    }
}

} // namespace semel::audience
