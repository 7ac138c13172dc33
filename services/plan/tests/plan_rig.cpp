// Plan as a process of its own, for tests that kill it: campaigns come from a file instead of `control`.
//   plan_rig BOOTSTRAP REDIS_PORT PREFIX PARTITIONS INSTANCE FILE[,FILE...] KEY_HEX[,KEY_HEX...] KEPT_AFTERWARDS_S
//   WINDOW
// One file and one key for each campaign; "-" for what is to be as in earnest.

#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <plan/edge/passes.hpp>
#include <support/records.hpp>
#include <ticks/clock.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

namespace {

using namespace semel;
namespace asio = boost::asio;

/// The campaign in the file, as a new value whenever the file changes.
class campaign_file {
  public:
    campaign_file(std::string path, crypto::campaign_key key)
        : path_(std::move(path))
        , key_(key) {
        reload();
    }

    bool reload() {
        std::ifstream in{path_, std::ios::binary};
        std::string bytes{std::istreambuf_iterator<char>{in}, {}};
        auto read = std::make_shared<catalog::campaign>();
        if (bytes == bytes_ || !read->state.ParseFromString(bytes)) {
            return false;
        }
        read->id = base::campaign_id{read->state.id()};
        read->key = key_;
        bytes_ = std::move(bytes);
        now_ = std::move(read);
        return true;
    }
    const catalog::campaign_ptr& campaign() const { return now_; }

  private:
    std::string path_;
    crypto::campaign_key key_;
    std::string bytes_;
    catalog::campaign_ptr now_;
};

asio::awaitable<void> follow(std::vector<campaign_file>& files, plan::passes& passes) {
    for (;;) {
        co_await runtime::sleep(std::chrono::milliseconds{20});
        for (auto& file : files) {
            if (file.reload()) {
                passes.wake();
            }
        }
    }
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> all;
    std::istringstream in{list};
    for (std::string one; std::getline(in, one, ',');) {
        all.push_back(one);
    }
    return all;
}

std::vector<campaign_file> files_of(const std::string& paths, const std::string& keys) {
    const auto names = split(paths);
    const auto hex = split(keys);
    std::vector<campaign_file> files;
    for (std::size_t i = 0; i < names.size(); ++i) {
        files.emplace_back(names[i], crypto::campaign_key{*crypto::key256::from(*base::from_hex(hex.at(i)))});
    }
    return files;
}

asio::awaitable<void> serve(std::vector<std::string> args) {
    const auto executor = co_await asio::this_coro::executor;
    telemetry::metrics metrics;
    auto files = files_of(args.at(6), args.at(7));
    redis::client redis{executor, {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::stoi(args.at(2)))}};
    plan::kafka_place place{
        .bootstrap = args.at(1), .partitions = std::stoi(args.at(4)), .instance = args.at(5), .prefix = args.at(3)};
    if (args.at(8) != "-") {
        place.kept_afterwards = std::chrono::seconds{std::stoi(args.at(8))};
        place.between_sweeps = std::chrono::seconds{1};
    }
    plan::pace ahead;
    if (args.at(9) != "-") {
        ahead.window = std::stod(args.at(9));
    }
    ticks::clock clock{executor, {.bootstrap = place.bootstrap, .prefix = place.prefix}};
    const auto campaigns = [&files] {
        std::vector<catalog::campaign_ptr> all;
        std::ranges::transform(files, std::back_inserter(all), &campaign_file::campaign);
        return all;
    };
    plan::passes passes{executor, place, redis, campaigns, clock.source(), metrics, ahead};
    co_await runtime::race(passes.run(follow(files, passes)), clock.run());
}

} // namespace

int main(int argc, char** argv) {
    asio::io_context io{1};
    int code = 0;
    asio::co_spawn(io, serve({argv, argv + argc}), [&](std::exception_ptr failure) {
        try {
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& e) {
            std::cerr << "plan_rig: " << e.what() << "\n";
            code = 1;
        }
        io.stop();
    });
    io.run();
    return code;
}
