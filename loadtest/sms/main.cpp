// How many SMS a second a message centre takes from a client that does nothing else: one session of Semel's, one
// blocking socket, no claims and no record:
//   semel-sms-rate PORT PASSWORD_FILE WINDOW TEXT COUNT
// Prints {"messages", "seconds"} as JSON.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sms/core/session.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace {

using namespace semel;
using steady = std::chrono::steady_clock;

class connection {
  public:
    explicit connection(std::uint16_t port)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        must(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "the centre's port");
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { ::close(fd_); }

    void write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            must(n > 0, "writing to the centre");
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    std::string_view read() {
        const auto n = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
        must(n >= 0, "reading from the centre");
        if (n == 0) {
            throw std::runtime_error{"semel-sms-rate: the centre closed the connection"};
        }
        return {buffer_.data(), static_cast<std::size_t>(n)};
    }

  private:
    static void must(bool done, const char* what) {
        if (!done) {
            throw std::system_error{errno, std::generic_category(), fmt::format("semel-sms-rate: {}", what)};
        }
    }
    int fd_;
    std::array<char, 65'536> buffer_{};
};

sms::message one_part(const std::string& text, std::uint64_t n) {
    sms::message m;
    m.source = "15771577";
    m.destination = fmt::format("8210{:08}", n);
    m.destination_numbering = {.ton = 1, .npi = 1};
    m.registered_delivery = 1;
    m.short_message = text;
    return m;
}

/// What an answer says; how many answers there were.
std::uint64_t answers(sms::session& talk) {
    std::uint64_t count = 0;
    for (const auto& event : talk.take_events()) {
        if (const auto* said = std::get_if<sms::session::answered>(&event)) {
            if (said->outcome.what != delivery::verdict::kind::accepted) {
                throw std::runtime_error{fmt::format("semel-sms-rate: the centre refused a message: {} {}",
                                                     said->outcome.code, said->outcome.text)};
            }
            ++count;
        } else {
            talk.acknowledge(std::get<sms::session::arrived>(event).sequence, sms::status::ok);
        }
    }
    return count;
}

double send(sms::session& talk, connection& to, const std::string& text, std::uint64_t count) {
    std::uint64_t submitted = 0;
    std::uint64_t answered = 0;
    auto began = steady::now();
    while (answered < count) {
        const auto now = steady::now();
        while (submitted < count && talk.reserve(1)) {
            if (submitted == 0) {
                began = now; // bound
            }
            talk.submit(one_part(text, submitted++), now);
        }
        if (talk.has_output()) {
            to.write(talk.take_output());
        }
        talk.feed(to.read(), now);
        answered += answers(talk);
        if (const auto& why = talk.failure()) {
            throw std::runtime_error{fmt::format("semel-sms-rate: the session ended: {} {}", why->code, why->text)};
        }
    }
    return std::chrono::duration<double>(steady::now() - began).count();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        fmt::print(stderr, "semel-sms-rate PORT PASSWORD_FILE WINDOW TEXT COUNT\n");
        return 2;
    }
    try {
        sms::session::settings account;
        account.system_id = "semel";
        std::ifstream{argv[2]} >> account.password;
        account.window = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
        const auto count = std::strtoull(argv[5], nullptr, 10);
        connection to{static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10))};
        sms::session talk{std::move(account), steady::now()};
        fmt::print("{{\"messages\": {}, \"seconds\": {:.6f}}}\n", count, send(talk, to, argv[4], count));
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
