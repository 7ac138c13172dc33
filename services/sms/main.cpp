#include <delivery/service/dispatcher.hpp>
#include <runtime/serve.hpp>

#include <sms/edge/receipt_writer.hpp>
#include <sms/edge/smpp_gateway.hpp>

namespace {

using namespace semel;

boost::asio::awaitable<void> sms_service(runtime::context& ctx) {
    sms::receipt_writer receipts{ctx.executor(), kafka::configured(ctx.config()), ctx.config().partitions, ctx.keys()};
    co_await delivery::dispatch(
        ctx, base::channel::sms, ctx.config().sms,
        [&](const config::gateway& g) -> base::result<std::unique_ptr<delivery::gateway>> {
            return sms::smpp_gateway::make(
                ctx.executor(), g,
                [&receipts](delivery::late_report report) { return receipts.write(std::move(report)); }, ctx.metrics());
        });
}

} // namespace

int main(int argc, char** argv) {
    return semel::runtime::serve(argc, argv, "sms", sms_service);
}
