#pragma once
// A message centre's delivery receipt as the report that the other services know. Pure.

#include <config/config.hpp>
#include <delivery/gateway.hpp>

#include <sms/core/receipt.hpp>
#include <sms/core/session.hpp>

#include <string>

namespace semel::sms {

delivery::late_report as_report(const std::string& gateway, const config::smpp& centre, const message& m,
                                const receipt& r);

} // namespace semel::sms
