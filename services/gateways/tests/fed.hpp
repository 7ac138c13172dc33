#pragma once
// A session fed by hand: no socket, a clock that stands still until run_later().

#include <fmt/format.h>
#include <gateways/desk.hpp>
#include <gateways/session.hpp>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace semel::gateways::testing {

class held_wire final : public wire {
  public:
    void later(std::chrono::microseconds, std::function<void()> what) override { waiting.push_back(std::move(what)); }
    void pump() override {}
    void reset() override { was_reset = true; }
    void hang_up() override { hung_up = true; }
    void run_later() {
        for (auto& what : std::exchange(waiting, {})) {
            what();
        }
    }
    std::vector<std::function<void()>> waiting;
    bool was_reset = false, hung_up = false;
};

struct scratch_folder {
    std::filesystem::path path;
    scratch_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "semel-gateways-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

inline std::string whole(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

/// A desk of port 1 with its file in a folder of its own.
struct a_desk {
    explicit a_desk(gateways::kind k)
        : kind(k)
        , desk({.kind = k, .port = 1, .folder = folder.path, .keep_content = 1000, .first = polite(k)}) {}
    void behave(std::string_view json_text) {
        auto b = desk.now();
        const auto ok = change(kind, b, json::read(json_text).value().as_object());
        if (!ok) {
            throw std::runtime_error{ok.error().why()};
        }
        desk.behave(std::move(b));
    }
    std::string noted() {
        desk.flush();
        return whole(folder.path / (desk.name() + ".jsonl"));
    }
    std::uint64_t count(std::string_view key) const { return desk.counts().at(key).to_number<std::uint64_t>(); }

    gateways::kind kind;
    scratch_folder folder;
    gateways::desk desk;
};

inline std::string said(session& s) {
    std::string out;
    s.take_output(out);
    return out;
}

} // namespace semel::gateways::testing
