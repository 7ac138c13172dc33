#pragma once
// semel.yaml as typed values (docs/operations.md, Settings). Every complaint about a file is made at once, each naming
// its key and line. Relative paths are relative to the file. Secrets are paths, never values.

#include <base/fault.hpp>
#include <base/ids.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace semel::config {

using path = std::filesystem::path;

struct endpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
};

/// "20000/s", "600/m".
struct rate {
    double per_second = 0; // 0: unlimited
};

/// A DKIM key; a mail gets one signature for each.
struct dkim {
    std::string domain, selector;
    path key_file; // PEM: RSA of at least 2,048 bits, or Ed25519
};
struct smtp {
    std::string host;
    std::uint16_t port = 25;
    enum class tls_mode : unsigned char { none, starttls, implicit } tls = tls_mode::starttls;
    path ca;                 // empty: the system's
    std::string server_name; // for the certificate check; default: host
    unsigned connections = 16;
    std::string user; // empty: no AUTH
    path password_file;
    std::string helo;               // default: the machine's name
    std::string return_path_domain; // VERP: bounce+TOKEN@this; default: the notice sender's domain
    path verp_key_file;             // HMAC of the token
    std::vector<config::dkim> dkim; // none: the relay signs, or nobody
    bool insecure = false;          // tls: none to another machine is meant
};
struct apns {
    std::string endpoint = "https://api.push.apple.com:443";
    path ca;
    std::string team_id, key_id, topic;
    path key_file;
    unsigned connections = 2;
    unsigned streams = 100; // at most, on one connection; the peer's SETTINGS may say less
};
struct fcm {
    std::string endpoint = "https://fcm.googleapis.com:443";
    path ca;
    path service_account;       // JSON: project_id, client_email, private_key, token_uri
    std::string token_endpoint; // overrides token_uri
    unsigned connections = 2;
    unsigned streams = 100;
};
struct smpp {
    std::string host;
    std::uint16_t port = 2775;
    std::string system_id;
    path password_file;
    std::string system_type;
    unsigned window = 10;
    unsigned binds = 1;
    std::string source_address;
    std::chrono::milliseconds enquire_link{30'000};
    std::chrono::milliseconds response_timeout{10'000};
    bool tls = false;
    path ca;                 // empty: the system's
    std::string server_name; // for the certificate check; default: host
    bool insecure = false;   // no TLS to another machine is meant
    bool exclusive = false;  // nobody else sends through this account: its receipts are all about Semel's messages
};

/// How Kafka is reached: its own words for it.
struct kafka_security {
    enum class protocol : unsigned char { plaintext, ssl, sasl_plaintext, sasl_ssl } over = protocol::plaintext;
    enum class mechanism : unsigned char { scram_sha_512, scram_sha_256, plain } sasl = mechanism::scram_sha_512;
    std::string user;
    path password_file;
    path ca;                    // empty: the system's
    path certificate, key_file; // ours, where brokers know their clients by certificate

    bool encrypts() const noexcept { return over == protocol::ssl || over == protocol::sasl_ssl; }
    bool authenticates() const noexcept { return over == protocol::sasl_plaintext || over == protocol::sasl_ssl; }
};
struct redis_security {
    bool tls = false;
    path ca;                    // empty: the system's
    std::string server_name;    // for SNI and the certificate check; default: the address's host
    path certificate, key_file; // ours, where the server asks for one
    std::string user;           // of its ACL; empty: the default user
    path password_file;
    /// managed: the server's provider vouches for what Redis itself does not tell (docs/operations.md).
    enum class durability_proof : unsigned char { checked, managed } durability = durability_proof::checked;
};
struct api_tls {
    path certificate, key_file; // PEM, the chain first to last; read again when they change. Empty: plain HTTP
    path ca;                    // for `semel` on this machine; empty: the system's
    std::string server_name;    // the certificate's, for `semel` on this machine; default: the address's host
};

/// The organisation's provider of identities (OpenID Connect), where people sign on instead of with a token's code.
struct sign_on {
    std::string issuer; // as its own description says it, to the letter
    path ca;            // of its server; empty: the system's
    std::string client_id;
    path client_secret_file; // read for each sign-on; empty: a client without a secret, PKCE alone
    std::string own_address; // "https://semel.example.com": where browsers find the console
    std::string claim = "groups";
    std::map<std::string, std::vector<std::string>> roles; // a value of the claim -> names of roles
    std::string name_claim = "preferred_username";
};

/// The public page on which people find out whether a notice is genuine: the api's, on an address of its own.
struct verify_page {
    endpoint address;
    std::string organisation;         // as its readers know it; "가람마켓 (Garam Market)"
    std::vector<std::string> contact; // ways to reach it that are known without any notice, one a line
    path certificate, key_file;       // as those of api_tls. Empty: plain HTTP
};

struct gateway {
    std::string name;
    config::rate limit;
    std::map<std::string, config::rate> domains; // email only
    std::variant<smtp, apns, fcm, smpp> link;
};

/// What a file of people may be. Far above what an honest one needs, far below what fills a disk unseen.
struct upload_limits {
    std::uint64_t bytes = std::uint64_t{32} << 30;    // as it is sent
    std::uint64_t decoded = std::uint64_t{128} << 30; // after gzip or zstd
    std::uint64_t rows = 200'000'000;
    std::uint64_t listed_rejects = 100'000; // lines of its rejects.csv; what is beyond is counted there
};

/// Tests of campaigns need no second person, so they reach few.
struct test_settings {
    std::vector<std::string> addresses; // who may get one, beside those that approvers add
    unsigned messages_a_day = 200;      // of each campaign
};

struct settings {
    path file; // where this came from
    std::string kafka_bootstrap = "127.0.0.1:19092";
    config::kafka_security kafka_security;
    endpoint redis{.host = "127.0.0.1", .port = 16379};
    config::redis_security redis_security;
    std::string postgres_dsn = "postgresql:///semel";
    std::map<std::string, std::string> postgres_users; // service -> its role; none: the DSN's own for all
    path postgres_password_file; // read for each new connection: such passwords may be tokens that expire
    endpoint api{.host = "127.0.0.1", .port = 18080};
    config::api_tls api_tls;
    std::optional<config::sign_on> sign_on;
    path console_dir; // api: the built console; empty: beside the program, in share/console
    std::optional<config::verify_page> verify;
    std::optional<endpoint> bounces; // receipts: where relays hand over what comes back to return paths (LMTP)
    std::map<std::string, std::uint16_t> admin_ports; // service -> port of its first process; later processes: 0 = any
    path data_dir;                                    // uploads, rejects
    path run_dir;                                     // pid files; empty: none are written
    path key_encryption_key_file;
    std::vector<path> keys; // key-encryption keys: the first writes, all open; empty: key_encryption_key_file alone
    path unsigned_records;  // TOPIC:PARTITION:END lines: below, records of a version without MACs are believed
                            // (kafka/trust)
    path tokens_dir;        // api: USER files, one token each, for the first users
    std::vector<gateway> email, push, sms;
    upload_limits limits;
    test_settings tests;
    std::int32_t partitions = 8;
    std::chrono::seconds drain_deadline{30};
    std::string run_as; // whom services become that root starts; empty: root without its capabilities
    std::string log_level = "info";
    std::vector<std::string> unencrypted; // what leaves this machine in the clear because the file says so, in words
    std::map<std::string, int> lines;     // of every key in the file, from 1

    /// "semel.yaml:12: kafka.ca", for whoever finds later that a value will not do. A key that is not in the file is
    /// found where it belongs.
    std::string place_of(std::string_view key) const;
};

/// `broken` with all complaints, one a line: "semel.yaml:12: gateways.email[0].rate: ...".
base::result<settings> load(const path& file);
/// The files of the key-encryption keys, the writing one first; empty when none is set.
std::vector<path> key_files(const settings&);
/// Beside each of them: the file that says that unsigned_records was noted, and is never to be noted again.
std::vector<path> mac_marks(const settings&);
base::result<settings> parse(std::string_view yaml, const path& origin);
/// The DSN with the service's own role in it.
std::string postgres_dsn_of(const settings&, std::string_view service);
/// "20000/s" -> rate; complains in words.
base::result<rate> parse_rate(std::string_view text);

} // namespace semel::config
