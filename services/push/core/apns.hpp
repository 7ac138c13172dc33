#pragma once
// Apple Push Notification service over HTTP/2: one request for one device, and what its answer means.

#include <base/ids.hpp>

#include <push/core/answer.hpp>

#include <string>
#include <string_view>

namespace semel::push::apns {

/// A UUID of version 8 (RFC 9562) made of the notification's id: every attempt has the same.
std::string apns_id(const base::notification_id&);

/// The request for one message; `topic` is the app's bundle id. permanent: the address is not a device token.
base::result<http2::request> request_for(const delivery::outbound&, std::string_view authority, std::string_view topic,
                                         std::string_view provider_token);

/// `sent_id`: the apns-id of the request, for an answer that does not repeat it.
judgement judge(const http2::response&, std::string_view sent_id);

} // namespace semel::push::apns
