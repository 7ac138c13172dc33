#pragma once
// What Apple's and Google's servers say to a request, without its HTTP/2 framing. Pure but for signatures.

#include "bearer.hpp"
#include "behaviour.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::gateways {

struct push_request {
    std::string method, path, authorization, content_type;
    std::string apns_id, apns_topic, apns_collapse_id, apns_push_type, apns_priority, apns_expiration;
    bool header_twice = false;
    std::string body;
};

struct push_answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A message in order, or the answer that it gets instead.
struct checked_push {
    std::string id, address, gateway_message_id;
    std::string more; // for the file
    std::optional<push_answer> instead;
    std::string rule; // which was broken; empty where none was (the token endpoint)
};

class push_server {
  public:
    virtual ~push_server() = default;
    /// The id and the address, as far as they can be known before the body's end; empty id: not yet.
    virtual std::pair<std::string, std::string> early(const push_request&) const = 0;
    virtual checked_push check(const push_request&, std::int64_t now) = 0;
    virtual push_answer accepted(const checked_push&) const = 0;
    virtual push_answer refused(const refusal&, std::optional<unsigned> retry_after, const push_request&) const = 0;
};

class apns_server final : public push_server {
  public:
    explicit apns_server(public_key key)
        : key_(std::move(key)) {}
    std::pair<std::string, std::string> early(const push_request&) const override;
    checked_push check(const push_request&, std::int64_t now) override;
    push_answer accepted(const checked_push&) const override;
    push_answer refused(const refusal&, std::optional<unsigned>, const push_request&) const override;

  private:
    /// Empty, or Apple's reason.
    std::string_view objection_to_token(std::string_view authorization, std::int64_t now);
    public_key key_;
    std::string good_; // the last token that was verified: a session keeps one for an hour
    std::int64_t good_since_ = 0;
};

class fcm_server final : public push_server {
  public:
    explicit fcm_server(public_key key);
    std::pair<std::string, std::string> early(const push_request&) const override;
    checked_push check(const push_request&, std::int64_t now) override;
    push_answer accepted(const checked_push&) const override;
    push_answer refused(const refusal&, std::optional<unsigned>, const push_request&) const override;

  private:
    struct issued {
        std::string token;
        std::int64_t until = 0;
    };
    push_answer issue(const push_request&, std::int64_t now, std::string& rule);
    bool is_issued(std::string_view authorization, std::int64_t now) const;
    public_key key_;
    std::deque<issued> issued_;
};

} // namespace semel::gateways
