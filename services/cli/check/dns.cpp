// TXT records by the system's resolver (res_nquery of the C library).
#include <arpa/nameser.h>
#include <cli/check/sender.hpp>
#include <fmt/format.h>
#include <netdb.h>
#include <resolv.h>

#include <array>
#include <memory>

namespace semel::cli {

using base::failed;
using base::fault;

base::result<std::vector<std::string>> txt_in(std::string_view packet) {
    ns_msg message{};
    const auto* bytes = reinterpret_cast<const unsigned char*>(packet.data());
    if (ns_initparse(bytes, static_cast<int>(packet.size()), &message) != 0) {
        return failed(fault::kind::malformed, "DNS gave an answer that cannot be read");
    }
    std::vector<std::string> out;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) {
            return failed(fault::kind::malformed, "DNS gave an answer that cannot be read");
        }
        if (ns_rr_type(record) != ns_t_txt) {
            continue; // a CNAME on the way
        }
        const std::string_view data{reinterpret_cast<const char*>(ns_rr_rdata(record)),
                                    static_cast<std::size_t>(ns_rr_rdlen(record))};
        std::string text;
        for (std::size_t at = 0; at < data.size();) {
            const auto size = static_cast<unsigned char>(data[at]);
            if (size >= data.size() - at) {
                return failed(fault::kind::malformed, "DNS gave a TXT record that ends too early");
            }
            text += data.substr(at + 1, size);
            at += size + 1U;
        }
        out.push_back(std::move(text));
    }
    return out;
}

base::result<std::vector<std::string>> look_txt_up(const std::string& name) {
    struct __res_state state{};
    if (res_ninit(&state) != 0) {
        return failed(fault::kind::broken, "this machine's resolver is not set up; look at /etc/resolv.conf");
    }
    const std::unique_ptr<struct __res_state, void (*)(struct __res_state*)> closing{&state,
                                                                                     [](auto* s) { res_nclose(s); }};
    std::array<unsigned char, 65'535> answer{};
    const int size =
        res_nquery(&state, name.c_str(), ns_c_in, ns_t_txt, answer.data(), static_cast<int>(answer.size()));
    if (size >= 0) {
        return txt_in({reinterpret_cast<const char*>(answer.data()), static_cast<std::size_t>(size)});
    }
    if (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA) {
        return std::vector<std::string>{};
    }
    return failed(fault::kind::unreachable, fmt::format("DNS does not answer about {}", name));
}

} // namespace semel::cli
