#include <delivery/service/dispatcher.hpp>
#include <runtime/serve.hpp>

#include <email/edge/smtp_gateway.hpp>

namespace {

using namespace semel;

boost::asio::awaitable<void> email_service(runtime::context& ctx) {
    co_await delivery::dispatch(ctx, base::channel::email, ctx.config().email,
                                [&ctx](const config::gateway& g) -> base::result<std::unique_ptr<delivery::gateway>> {
                                    return email::smtp_gateway::make(ctx.executor(), g);
                                });
}

} // namespace

int main(int argc, char** argv) {
    return semel::runtime::serve(argc, argv, "email", email_service);
}
