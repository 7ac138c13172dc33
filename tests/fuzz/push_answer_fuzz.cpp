// Answers of APNs, FCM and Google's token endpoint: whatever comes, a verdict; never an acceptance without a 2xx.

#include <push/core/apns.hpp>
#include <push/core/fcm.hpp>
#include <push/core/oauth.hpp>

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) {
        return 0;
    }
    semel::http2::response r;
    r.status = 200 + (data[0] << 1 | (data[1] & 1)); // 200 to 711
    r.complete = (data[1] & 2) != 0;
    r.body.assign(reinterpret_cast<const char*>(data) + 3, size - 3);
    if ((data[1] & 4) != 0) {
        r.headers.push_back({"retry-after", r.body.substr(0, data[2] % 32)});
    }
    using kind = semel::delivery::verdict::kind;
    const bool success = r.status < 300;
    for (const auto& judged : {semel::push::apns::judge(r, "id"), semel::push::fcm::judge(r)}) {
        if ((judged.verdict.what == kind::accepted) != success || judged.verdict.code.size() > 80) {
            std::abort();
        }
    }
    const auto token = semel::push::parse_token_answer(r.status, r.body, {});
    if (token && (r.status != 200 || token->value.find_first_of("\r\n ") != std::string::npos)) {
        std::abort();
    }
    (void)semel::push::parse_service_account(r.body);
    return 0;
}
