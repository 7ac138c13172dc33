// The gateway against software that is not ours: Postfix's smtp-sink for throughput, a private Postfix for the
// extensions (PIPELINING, SIZE, DSN, SMTPUTF8, STARTTLS with a certificate that is checked).

#include <boost/asio.hpp>
#include <correlation/verp.hpp>
#include <email/edge/smtp_gateway.hpp>
#include <gtest/gtest.h>
#include <support/child_process.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace semel::email {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

struct scratch {
    fs::path path;
    scratch() {
        std::string name = (fs::temp_directory_path() / "semel-email-XXXXXX").string();
        path = ::mkdtemp(name.data());
        fs::permissions(path, fs::perms::all); // smtp-sink and Postfix write as users of their own
    }
    ~scratch() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

/// As root, smtp-sink insists on a user to become.
support::child_process smtp_sink(std::uint16_t port, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "smtp-sink");
    if (::geteuid() == 0) {
        options.insert(options.end(), {"-u", "postfix"});
    }
    options.insert(options.end(), {"127.0.0.1:" + std::to_string(port), "512"});
    return support::child_process{std::move(options)};
}

std::string slurp(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void sh(const std::string& command) {
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error("failed: " + command);
    }
}

config::gateway gateway_at(std::uint16_t port, unsigned connections) {
    config::smtp link;
    link.host = "127.0.0.1";
    link.port = port;
    link.tls = config::smtp::tls_mode::none;
    link.connections = connections;
    link.helo = "semel.example.com";
    return {.name = "relay-a", .limit = {}, .domains = {}, .link = link};
}

delivery::outbound a_message(std::string address = "ann@example.com", std::size_t size = 200) {
    delivery::outbound m;
    m.address = std::move(address);
    m.sender = "notice@example.com";
    std::string body = "From: notice@example.com\r\nTo: ann@example.com\r\nSubject: hello\r\n\r\n.a dot\r\n";
    while (body.size() < size) {
        body += std::string(70, 'x') + "\r\n";
    }
    m.parts = {body};
    return m;
}

asio::awaitable<verdict> send(smtp_gateway& gate, const delivery::outbound& m) {
    auto staged = co_await gate.stage(m, 10s);
    if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
        co_return refused->why();
    }
    co_return co_await std::get<0>(staged)->release();
}

template <class T>
T run(asio::io_context& io, asio::awaitable<T> work) {
    auto done = asio::co_spawn(io, std::move(work), asio::use_future);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (done.wait_for(0s) != std::future_status::ready && std::chrono::steady_clock::now() < deadline) {
        io.run_one_for(100ms);
    }
    if (done.wait_for(0s) != std::future_status::ready) {
        throw std::runtime_error("the test's work did not end in time");
    }
    return done.get();
}

asio::awaitable<void> send_many(smtp_gateway& gate, const delivery::outbound& m, int& left, int& accepted) {
    while (left > 0) {
        --left;
        const auto v = co_await send(gate, m);
        EXPECT_EQ(v.what, kind::accepted) << v.code << ' ' << v.text;
        accepted += v.what == kind::accepted ? 1 : 0;
    }
}

TEST(SmtpSink, TakesTenThousandsOfMessagesOverManyConnections) {
    const auto port = support::free_port();
    const auto sink = smtp_sink(port);
    support::wait_for_port(port);
    asio::io_context io{1};
    const auto gate = smtp_gateway::make(io.get_executor(), gateway_at(port, 32)).value();
    const auto message = a_message("ann@example.com", 4096);
    constexpr int count = 20'000;
    int left = count;
    int accepted = 0;
    int running = 32;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 32; ++i) {
        asio::co_spawn(io, send_many(*gate, message, left, accepted), [&](const std::exception_ptr& e) {
            EXPECT_FALSE(e);
            --running;
        });
    }
    while (running > 0) {
        io.run_one_for(100ms);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(accepted, count);
    RecordProperty("messages_per_second", static_cast<int>(count / took.count()));
    std::cout << "smtp-sink: " << static_cast<int>(count / took.count()) << " messages/s of 4 KB over 32 connections\n";
}

TEST(SmtpSink, GetsTheBytesThatWereHashed) {
    const scratch dir;
    const auto port = support::free_port();
    const auto sink = smtp_sink(port, {"-d", (dir.path / "mail").string() + ".%M"});
    support::wait_for_port(port);
    asio::io_context io{1};
    const auto gate = smtp_gateway::make(io.get_executor(), gateway_at(port, 1)).value();
    const auto message = a_message("ann@example.com", 1000);
    EXPECT_EQ(run(io, send(*gate, message)).what, kind::accepted);
    std::string as_lines; // the dump has bare line feeds
    for (const char c : message.parts[0]) {
        if (c != '\r') {
            as_lines += c;
        }
    }
    bool found = false;
    for (const auto& file : fs::directory_iterator(dir.path)) {
        const auto dump = slurp(file.path());
        found = found || dump.contains(as_lines);
        EXPECT_TRUE(dump.contains("X-Rcpt-Args: <ann@example.com>")) << dump;
    }
    EXPECT_TRUE(found);
}

TEST(SmtpSink, RefusalsAreSorted) {
    for (const auto& [flag, what, where] :
         {std::tuple{"-f", "rcpt", kind::ambiguous}, // "500 5.3.0": ours, or this recipient's
          {"-r", "rcpt", kind::transient},
          {"-r", ".", kind::transient},
          {"-q", ".", kind::unknown},
          {"-q", "data", kind::transient},
          {"-q", "mail", kind::transient}}) {
        const auto port = support::free_port();
        const auto sink = smtp_sink(port, {flag, what});
        support::wait_for_port(port);
        asio::io_context io{1};
        const auto gate = smtp_gateway::make(io.get_executor(), gateway_at(port, 1)).value();
        const auto v = run(io, send(*gate, a_message()));
        EXPECT_EQ(v.what, where) << flag << ' ' << what << ": " << v.code << ' ' << v.text;
    }
}

/// A Postfix of its own that takes everything for example.com and drops it, and logs into a file.
struct private_postfix {
    scratch dir;
    std::uint16_t port = support::free_port();

    private_postfix() {
        const auto etc = dir.path / "etc";
        fs::create_directories(etc);
        fs::create_directories(dir.path / "queue");
        fs::create_directories(dir.path / "data");
        sh("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=relay.example.com -addext "
           "subjectAltName=DNS:relay.example.com "
           "-keyout " +
           (etc / "key.pem").string() + " -out " + (etc / "cert.pem").string() + " 2>/dev/null");
        sh("chown postfix " + (dir.path / "data").string());
        std::ofstream{etc / "main.cf"}
            << "compatibility_level = 3.6\nqueue_directory = " << (dir.path / "queue").string()
            << "\ndata_directory = " << (dir.path / "data").string()
            << "\nmyhostname = relay.example.com\nmydestination =\nmynetworks = 127.0.0.0/8\n"
               "relay_domains = example.com\ndefault_transport = discard:\nrelay_transport = discard:\n"
               "local_transport = discard:\nalias_maps =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
               "smtputf8_enable = yes\nmaillog_file_prefixes = "
            << dir.path.string() << "\nmaillog_file = " << (dir.path / "log").string()
            << "\nsmtpd_tls_security_level = may\nsmtpd_tls_cert_file = " << (etc / "cert.pem").string()
            << "\nsmtpd_tls_key_file = " << (etc / "key.pem").string()
            << "\nsmtpd_recipient_restrictions = reject_unlisted_recipient, permit_mynetworks, reject\n"
               "message_size_limit = 100000\n";
        std::ofstream{etc / "master.cf"}
            << "127.0.0.1:" << port << " inet n - n - - smtpd\n"
            << "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n"
               "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
               "discard unix - - n - - discard\nerror unix - - n - - error\nanvil unix - - n - 1 anvil\n"
               "tlsmgr unix - - n 1000? 1 tlsmgr\nproxymap unix - - n - - proxymap\nscache unix - - n - 1 scache\n"
               "postlog unix-dgram n - n - 1 postlogd\n";
        sh("postfix -c " + etc.string() + " start >/dev/null 2>&1");
        support::wait_for_port(port);
    }
    ~private_postfix() {
        std::ignore = std::system(("postfix -c " + (dir.path / "etc").string() + " stop >/dev/null 2>&1").c_str());
    }
};

struct Postfix : testing::Test {
    static inline std::unique_ptr<private_postfix> server;
    static void SetUpTestSuite() { server = std::make_unique<private_postfix>(); }
    static void TearDownTestSuite() { server.reset(); }

    asio::io_context io{1};
    config::gateway settings = gateway_at(server->port, 1);
    config::smtp& link = std::get<config::smtp>(settings.link);

    verdict send_with(const delivery::outbound& m) {
        const auto gate = smtp_gateway::make(io.get_executor(), settings);
        return gate ? run(io, send(**gate, m))
                    : verdict{.what = kind::lane_stop,
                              .code = {},
                              .text = gate.error().why(),
                              .message_id = {},
                              .retry_after = {}};
    }

    /// Postfix logs after it has answered.
    static bool logged(std::string_view text) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < deadline) {
            if (slurp(server->dir.path / "log").contains(text)) {
                return true;
            }
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }
};

TEST_F(Postfix, TakesAMessageWithItsEnvelopeIdAndAVerpSender) {
    const auto key = server->dir.path / "verp.key";
    std::ofstream{key} << "sixteen bytes and more\n";
    link.verp_key_file = key;
    const auto v = send_with(a_message());
    EXPECT_EQ(v.what, kind::accepted) << v.code << ' ' << v.text;
    EXPECT_FALSE(v.message_id.empty());
    EXPECT_TRUE(logged(v.message_id));
    EXPECT_TRUE(logged("from=<" + correlation::verp{"sixteen bytes and more"}.return_path({}, "example.com") + ">"));
}

TEST_F(Postfix, ChecksTheCertificateUnderStarttls) {
    link.tls = config::smtp::tls_mode::starttls;
    link.ca = server->dir.path / "etc" / "cert.pem";
    link.server_name = "relay.example.com";
    EXPECT_EQ(send_with(a_message()).what, kind::accepted);

    link.server_name = "other.example.com";
    const auto wrong_name = send_with(a_message());
    EXPECT_EQ(wrong_name.what, kind::lane_stop) << wrong_name.text;

    link.server_name = "relay.example.com";
    link.ca.clear(); // the system's authorities do not know it
    const auto unknown_issuer = send_with(a_message());
    EXPECT_EQ(unknown_issuer.what, kind::lane_stop);
    EXPECT_TRUE(unknown_issuer.text.contains("certificate")) << unknown_issuer.text;
}

TEST_F(Postfix, TakesAnInternationalAddress) {
    EXPECT_EQ(send_with(a_message("\xED\x95\x9C\xEA\xB8\x80@example.com")).what, kind::accepted);
}

TEST_F(Postfix, AMessageTooBigForTheRelayIsAVerdictOnNobodyAlone) {
    const auto v = send_with(a_message("ann@example.com", 200'000));
    EXPECT_EQ(v.what, kind::ambiguous);
    EXPECT_EQ(v.code, "semel:size");
}

} // namespace
} // namespace semel::email
