#include "session.hpp"

#include <http/url.hpp>

#include <boost/asio/co_spawn.hpp>
#include <cli/campaign/text_table.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {

namespace asio = boost::asio;
using base::failed;
using base::fault;
using base::result;

namespace {

using namespace std::chrono_literals;

fault refusal(const http::client_response& response) {
    std::string why = fmt::format("the api answered {}", response.status);
    bool again = false;
    if (const auto body = json::read(response.body); body && body->is_object()) {
        const auto& o = body->get_object();
        if (const auto* error = json::find_text(o, "error")) {
            why = printable(*error);
        }
        if (const auto* hint = json::find_text(o, "hint")) {
            why += "\n  " + printable(*hint);
        }
        const auto* retry = o.if_contains("retry");
        again = retry != nullptr && retry->is_bool() && retry->get_bool();
    }
    const auto kind = response.status >= 500            ? fault::kind::unreachable
                      : again || response.status == 429 ? fault::kind::transient
                                                        : fault::kind::permanent;
    return {kind, std::move(why)};
}

result<json::value> document(result<http::client_response> response) {
    if (!response) {
        return failed(response.error());
    }
    auto body = json::read(response->body);
    if (!body) {
        return failed(fault::kind::unreachable, "what answered is not an api of Semel: " + body.error().why());
    }
    return body;
}

} // namespace

session::session(account a)
    : account_(std::move(a))
    , client_(io_.get_executor(), {.base = account_.base,
                                   .ca = account_.ca,
                                   .connect_timeout = 5s,
                                   .timeout = 120s, // the end of a large upload is made durable before it is answered
                                   .whole_body = std::size_t{64} * 1024 * 1024}) {}

result<http::client_response> session::send(http::client_request request) {
    request.headers.emplace_back("Authorization", "Bearer " + account_.token);
    result<http::client_response> answer = failed(fault::kind::unreachable, "the request was not carried out");
    std::exception_ptr failure;
    io_.restart();
    asio::co_spawn(io_, client_.send(std::move(request)),
                   [&](std::exception_ptr thrown, result<http::client_response> got) {
                       failure = thrown;
                       answer = std::move(got);
                   });
    io_.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!answer) {
        if (answer.error().what() != fault::kind::unreachable) {
            return answer;
        }
        return failed(
            fault::kind::unreachable,
            fmt::format("the api at {} is not reachable: {}\n  `semel ps` shows what runs, `semel up` starts it",
                        account_.base, answer.error().why()));
    }
    if (answer->status >= 300) {
        return failed(refusal(*answer));
    }
    return answer;
}

result<json::value> session::get(std::string target, std::vector<std::pair<std::string, std::string>> headers) {
    http::client_request request;
    request.target = std::move(target);
    request.headers = std::move(headers);
    return document(send(std::move(request)));
}

result<json::value> session::post(std::string target, const json::object* body) {
    http::client_request request;
    request.method = "POST";
    request.target = std::move(target);
    if (body != nullptr) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = json::serialize(*body);
    }
    return document(send(std::move(request)));
}

result<json::value> session::remove(std::string target) {
    http::client_request request;
    request.method = "DELETE";
    request.target = std::move(target);
    return document(send(std::move(request)));
}

std::string campaign_target(std::string_view id, std::string_view rest) {
    return fmt::format("/v1/campaigns/{}{}", http::percent_encode(id), rest);
}

int exit_code_of(const fault& f) noexcept {
    return f.what() == fault::kind::unreachable ? 3 : 1;
}

} // namespace semel::cli::campaign
