#include "keys.hpp"

#include <base/bytes.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <stdexcept>

namespace semel::runtime {
namespace {

constexpr std::chrono::seconds look_every{2};

/// Changes when the file is written or replaced.
std::string stamp_of(const std::filesystem::path& file) {
    struct stat about{};
    if (::stat(file.c_str(), &about) != 0) {
        return "missing";
    }
    return fmt::format("{}:{}:{}.{}", about.st_ino, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

void log_keys(const crypto::key_ring& ring) {
    std::string ids;
    for (const auto& key : ring.keys()) {
        ids += fmt::format("{}{}{}", ids.empty() ? "" : " ", base::to_hex(base::as_view(key.id)),
                           key.retired ? " (retired)" : "");
    }
    telemetry::log().info("keys.read", {{"ids", ids}, {"writing", base::to_hex(base::as_view(ring.writing()))}});
}

} // namespace

watched_keys::watched_keys(const config::settings& settings)
    : settings_file_(settings.file)
    , files_(config::key_files(settings))
    , seen_(stamps()) {
    if (const auto read = ring_.reload(files_); !read) {
        throw std::runtime_error{read.error().why()};
    }
    ring_.look_again_with([this] { look_again(); });
    log_keys(ring_);
}

watched_keys::~watched_keys() {
    ring_.look_again_with({}); // copies of the ring may outlive this
}

std::vector<std::string> watched_keys::stamps() const {
    std::vector<std::string> all{stamp_of(settings_file_)};
    for (const auto& file : files_) {
        all.push_back(stamp_of(file));
    }
    return all;
}

void watched_keys::look_again() {
    if (stamps() == seen_) {
        return;
    }
    const auto keep = [](const base::fault& why) {
        telemetry::log().error("keys.not_read", {{"why", why.why()}, {"then", "the keys stay as they were"}});
    };
    // Each stamp before its file is read: what changes meanwhile is seen the next time.
    const auto of_settings = stamp_of(settings_file_);
    const auto settings = config::load(settings_file_);
    if (settings) {
        files_ = config::key_files(*settings);
    }
    seen_ = stamps();
    seen_.front() = of_settings;
    if (!settings) {
        keep(settings.error());
        return;
    }
    if (const auto read = ring_.reload(files_); !read) {
        keep(read.error());
        return;
    }
    log_keys(ring_);
}

boost::asio::awaitable<void> watched_keys::watch() {
    while (co_await sleep(look_every)) {
        look_again();
    }
}

} // namespace semel::runtime
