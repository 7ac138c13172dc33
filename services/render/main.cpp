#include <kafka/admin.hpp>
#include <runtime/serve.hpp>

#include <render/edge/service.hpp>

#include <chrono>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;

boost::asio::awaitable<void> serve_render(runtime::context& ctx) {
    const auto cluster = kafka::configured(ctx.config());
    if (const auto ready = kafka::admin{cluster}.wait_until_ready(30s); !ready) {
        throw std::runtime_error{ready.error().why()};
    }
    render::settings settings;
    settings.bootstrap = cluster;
    settings.instance = ctx.instance_name();

    render::service service{ctx.executor(), std::move(settings), ctx.metrics()};
    ctx.ready();
    co_await service.run(ctx.stop_requested());
}

} // namespace

int main(int argc, char** argv) {
    return semel::runtime::serve(argc, argv, "render", serve_render);
}
