#include <delivery/service/dispatcher.hpp>
#include <runtime/serve.hpp>

#include <push/edge/apns_gateway.hpp>
#include <push/edge/fcm_gateway.hpp>

namespace {

using namespace semel;

boost::asio::awaitable<void> push_service(runtime::context& ctx) {
    co_await delivery::dispatch(ctx, base::channel::push, ctx.config().push,
                                [&ctx](const config::gateway& g) -> base::result<std::unique_ptr<delivery::gateway>> {
                                    if (std::holds_alternative<config::apns>(g.link)) {
                                        return push::apns_gateway::make(ctx.executor(), g);
                                    }
                                    return push::fcm_gateway::make(ctx.executor(), g);
                                });
}

} // namespace

int main(int argc, char** argv) {
    return semel::runtime::serve(argc, argv, "push", push_service);
}
