// Plan as a process of its own, for tests that kill it: campaigns come from a file instead of `control`.
//   plan_rig BOOTSTRAP REDIS_PORT PREFIX PARTITIONS INSTANCE CAMPAIGN_FILE KEY_HEX [KEPT_AFTERWARDS_S]

#include <runtime/tasks.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <plan/edge/service.hpp>
#include <support/records.hpp>
#include <ticks/clock.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

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
    std::vector<catalog::campaign_ptr> campaigns() const { return {now_}; }

  private:
    std::string path_;
    crypto::campaign_key key_;
    std::string bytes_;
    catalog::campaign_ptr now_;
};

asio::awaitable<void> follow(campaign_file& file, plan::passes& passes) {
    for (;;) {
        co_await runtime::sleep(std::chrono::milliseconds{20});
        if (file.reload()) {
            passes.wake();
        }
    }
}

asio::awaitable<void> serve(std::vector<std::string> args) {
    const auto executor = co_await asio::this_coro::executor;
    telemetry::metrics metrics;
    campaign_file file{args.at(6), crypto::campaign_key{*crypto::key256::from(*base::from_hex(args.at(7)))}};
    redis::client redis{executor, {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::stoi(args.at(2)))}};
    plan::kafka_place place{
        .bootstrap = args.at(1), .partitions = std::stoi(args.at(4)), .instance = args.at(5), .prefix = args.at(3)};
    if (args.size() > 8) {
        place.kept_afterwards = std::chrono::seconds{std::stoi(args.at(8))};
        place.between_sweeps = std::chrono::seconds{1};
    }
    ticks::clock clock{executor, {.bootstrap = place.bootstrap, .prefix = place.prefix}};
    plan::passes passes{executor, place, redis, [&file] { return file.campaigns(); }, clock.source(), metrics};
    co_await runtime::race(passes.run(follow(file, passes)), clock.run());
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
