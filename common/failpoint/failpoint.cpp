#include "failpoint.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>

namespace semel::failpoint {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct order {
    std::size_t index = points.size();
    std::uint64_t hit = 1;
    int signal = SIGKILL;
};

/// NAME[:HIT[:stop]]
std::optional<order> read_order(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    order o;
    const auto name = text.substr(0, text.find(':'));
    o.index = static_cast<std::size_t>(std::ranges::find(points, name, &point::name) - points.begin());
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto hit = text.substr(0, text.find(':'));
    if (!hit.empty() && std::from_chars(hit.data(), hit.data() + hit.size(), o.hit).ptr != hit.data() + hit.size()) {
        return std::nullopt;
    }
    text.remove_prefix(std::min(text.size(), hit.size() + 1));
    if (text == "stop") {
        o.signal = SIGSTOP;
    } else if (!text.empty()) {
        return std::nullopt;
    }
    return o.index < points.size() && o.hit > 0 ? std::optional{o} : std::nullopt;
}

struct state {
    state() {
        if (const char* text = std::getenv("SEMEL_FAILPOINT");
            text != nullptr && *text != 0) { // NOLINT(concurrency-mt-unsafe): nobody sets it
            arm(text);
        }
    }

    void arm(std::string_view text) {
        if (const auto o = read_order(text)) {
            signal = o->signal;
            left = o->hit;
            armed = o->index;
        } else {
            fmt::print(stderr, "failpoint: \"{}\" is not NAME[:HIT[:stop]] of a known name\n", text);
        }
    }

    void look_for_file() {
        const auto now = steady::now().time_since_epoch().count();
        auto due = next_look.load(std::memory_order_relaxed);
        if (now < due || !next_look.compare_exchange_strong(due, now + steady::duration{50ms}.count())) {
            return;
        }
        const std::lock_guard lock{guard};
        if (file.empty()) {
            return;
        }
        std::ifstream in{file};
        std::string line;
        if (in && std::getline(in, line)) {
            std::error_code ignored;
            std::filesystem::remove(file, ignored);
            arm(line);
        }
    }

    std::atomic<std::size_t> armed = points.size();
    std::atomic<std::uint64_t> left = 0;
    std::atomic<int> signal = SIGKILL;
    std::atomic<steady::rep> next_look = 0;
    std::mutex guard;
    std::filesystem::path file;
};

state& the() {
    static auto& instance = *new state; // for ever: threads may pass points while the process exits
    return instance;
}

} // namespace

bool compiled_in() noexcept {
#ifdef SEMEL_FAILPOINTS
    return true;
#else
    return false;
#endif
}

void watch_file(std::filesystem::path file) {
    if (compiled_in()) {
        const std::lock_guard lock{the().guard};
        the().file = std::move(file);
    }
}

std::string list(std::string_view service) {
    std::string out;
    for (const auto& p : points) {
        if (belongs_to(p.name, service)) {
            out += p.name;
            out += '\n';
        }
    }
    return out;
}

void reached(std::size_t index) noexcept {
    auto& s = the();
    s.look_for_file();
    if (s.armed.load(std::memory_order_relaxed) != index || s.left.fetch_sub(1) != 1) {
        return;
    }
    s.armed = points.size();
    fmt::print(stderr, "failpoint: {}\n", points[index].name);
    ::kill(::getpid(), s.signal);
}

} // namespace semel::failpoint
