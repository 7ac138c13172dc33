#pragma once
// Firebase Cloud Messaging, HTTP v1: one request for one device, and what its answer means.

#include <push/core/answer.hpp>

#include <string>
#include <string_view>

namespace semel::push::fcm {

/// The payload names the device already (notice::fill writes it).
base::result<http2::request> request_for(const delivery::outbound&, std::string_view authority,
                                         std::string_view project, std::string_view access_token);

judgement judge(const http2::response&);

} // namespace semel::push::fcm
