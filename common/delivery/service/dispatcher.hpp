#pragma once
// What the mains of email, push and sms share: keys, catalog, Redis, the engine, and the order in which they stop.

#include <base/fault.hpp>
#include <config/config.hpp>
#include <delivery/gateway.hpp>
#include <runtime/serve.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace semel::delivery {

/// Makes the gateway of one entry of semel.yaml; `broken` names what is missing.
using make_gateway = std::function<base::result<std::unique_ptr<gateway>>(const config::gateway&)>;

/// Runs the engine over these gateways until the service is asked to stop, then drains. Throws what the process
/// cannot go on with.
boost::asio::awaitable<void> dispatch(runtime::context&, base::channel, const std::vector<config::gateway>&,
                                      make_gateway);

} // namespace semel::delivery
