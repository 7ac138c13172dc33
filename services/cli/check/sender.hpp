#pragma once
// What receivers will think of a sender: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489) as DNS has them, held
// against what semel.yaml says. Pure: looking names up is an argument. It reads whose word stands there; it does not
// evaluate which machines an SPF record allows, because only the relay knows from which it sends.

#include <base/fault.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::cli {

/// The TXT records of a name, each with its strings joined; none when there is no such name. A fault when DNS did not
/// answer.
using txt_lookup = std::function<base::result<std::vector<std::string>>(const std::string& name)>;

/// A DKIM key of semel.yaml.
struct expected_key {
    std::string domain;
    std::string name;   // SELECTOR._domainkey.DOMAIN
    std::string record; // what must stand there
};

struct sender_to_check {
    std::string from_domain;
    std::string return_path_domain;
    std::vector<expected_key> keys; // none: the relay signs, or nobody
};

struct sender_finding {
    enum class kind : unsigned char { good, unsure, wrong, no_answer } what = kind::good;
    std::string about; // "SPF", "DKIM", "DMARC"
    std::string words;
    std::string mend; // empty when good
};
std::string_view to_string(sender_finding::kind) noexcept;

std::vector<sender_finding> judge_sender(const sender_to_check&, const txt_lookup&);

/// "v=DKIM1; k=rsa; p=..." -> the value of a tag, without its blanks; empty when it is not there.
std::string tag_of(std::string_view record, std::string_view tag);

/// The contract's exit code: 1 when something is wrong, else 3 when DNS did not answer, else 0.
int exit_code_of(const std::vector<sender_finding>&) noexcept;

/// The system's resolver.
base::result<std::vector<std::string>> look_txt_up(const std::string& name);
/// The TXT records in an answer of DNS; a fault when it is none.
base::result<std::vector<std::string>> txt_in(std::string_view packet);

} // namespace semel::cli
