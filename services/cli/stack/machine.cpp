#include "machine.hpp"

#include <http/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <ranges>
#include <sstream>
#include <thread>

extern "C" char** environ; // NOLINT(readability-redundant-declaration)

namespace semel::cli::stack {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using base::failed;
using kind = base::fault::kind;
using asio::ip::tcp;

namespace {

template <class Number>
std::optional<Number> number_in(const path& file) {
    std::string line;
    std::ifstream in{file};
    std::getline(in, line);
    Number value{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    return in && error == std::errc{} && end == line.data() + line.size() ? std::optional{value} : std::nullopt;
}

tcp::endpoint loopback(std::uint16_t port) {
    return {asio::ip::address_v4::loopback(), port};
}

} // namespace

ran run(const std::vector<std::string>& command) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return {127, "no pipe: too many open files"};
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (const auto& word : command) {
        argv.push_back(
            const_cast<char*>(word.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast): POSIX's signature
    }
    argv.push_back(nullptr);
    pid_t child = 0;
    const int error = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    ran out;
    if (error != 0) {
        ::close(pipe[0]);
        return {127, fmt::format("{}: {}", command.front(), std::generic_category().message(error))};
    }
    std::array<char, 4096> chunk{};
    for (ssize_t n = 0; (n = ::read(pipe[0], chunk.data(), chunk.size())) > 0 || (n < 0 && errno == EINTR);) {
        out.output.append(chunk.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    ::close(pipe[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return out;
}

base::result<programs> find_programs() {
    std::error_code error;
    const auto self = fs::read_symlink("/proc/self/exe", error);
    if (error) {
        return failed(kind::broken, "/proc is not mounted: the local stack needs it");
    }
    for (auto folder = self.parent_path(); folder != folder.root_path(); folder = folder.parent_path()) {
        if (fs::exists(folder / "deploy/local/server", error)) {
            return programs{.deploy = folder / "deploy", .binaries = self.parent_path()};
        }
    }
    return failed(kind::broken,
                  fmt::format("no deploy/local above {}: run semel from its build folder", self.string()));
}

std::optional<pid_t> pid_of(const folders& at, const std::string& name) {
    const auto pid = number_in<pid_t>(at.run() / (name + ".pid"));
    if (!pid || *pid <= 0) {
        return std::nullopt;
    }
    // Every process of the stack works in DIR or, like Redis and PostgreSQL, in its data below it. Where a process that
    // holds keys works only root is told (runtime/privacy.hpp); it names DIR's settings on its command line.
    std::error_code error;
    const auto works_in = fs::read_symlink(fmt::format("/proc/{}/cwd", *pid), error);
    if (error) {
        std::ifstream in{fmt::format("/proc/{}/cmdline", *pid), std::ios::binary};
        const std::string words{std::istreambuf_iterator<char>{in}, {}};
        return words.contains('\0' + at.settings().string() + '\0') ? pid : std::nullopt;
    }
    const auto [end, ignored] = std::mismatch(at.root.begin(), at.root.end(), works_in.begin(), works_in.end());
    return end == at.root.end() ? pid : std::nullopt;
}

std::optional<std::chrono::seconds> age_of(pid_t pid) {
    std::ifstream in{fmt::format("/proc/{}/stat", pid)};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto name_end = text.rfind(')'); // the program's name may hold blanks
    double uptime = 0;
    if (name_end == std::string::npos || !(std::ifstream{"/proc/uptime"} >> uptime)) {
        return std::nullopt;
    }
    std::istringstream fields{text.substr(name_end + 1)};
    std::string word;
    for (int field = 3; field <= 22; ++field) { // proc(5): 22 is the start, in ticks after boot
        fields >> word;
    }
    std::uint64_t ticks = 0;
    std::from_chars(word.data(), word.data() + word.size(), ticks);
    const auto started = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return std::chrono::seconds{static_cast<std::int64_t>(std::max(0.0, uptime - started))};
}

unsigned starts_of(const folders& at, const std::string& name) {
    std::ifstream in{at.run() / fmt::format(".{}.starts", name), std::ios::binary};
    using bytes = std::istreambuf_iterator<char>;
    return static_cast<unsigned>(std::ranges::count(std::ranges::subrange{bytes{in}, bytes{}}, '\n'));
}

bool port_is_free(std::uint16_t port) {
    asio::io_context io;
    tcp::acceptor acceptor{io};
    boost::system::error_code error;
    acceptor.open(tcp::v4(), error);
    acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    acceptor.bind(loopback(port), error);
    if (!error) {
        acceptor.listen(1, error);
    }
    return !error;
}

bool port_answers(std::uint16_t port) {
    asio::io_context io;
    tcp::socket socket{io};
    boost::system::error_code error;
    socket.connect(loopback(port), error);
    return !error;
}

bool socket_answers(const path& file) {
    asio::io_context io;
    asio::local::stream_protocol::socket socket{io};
    boost::system::error_code error;
    socket.connect(file.string(), error);
    return !error;
}

std::optional<std::uint16_t> admin_port_of(const folders& at, const std::string& name) {
    return number_in<std::uint16_t>(at.run() / (name + ".port"));
}

health service_health(std::uint16_t admin_port) {
    asio::io_context io;
    http::client client{io.get_executor(),
                        {.base = fmt::format("http://127.0.0.1:{}", admin_port),
                         .connect_timeout = std::chrono::seconds{2},
                         .timeout = std::chrono::seconds{2}}};
    http::client_request ready;
    ready.target = "/health/ready";
    auto answer = base::result<http::client_response>{failed(kind::unreachable, "not asked")};
    asio::co_spawn(io, client.send(std::move(ready)),
                   [&](const std::exception_ptr& thrown, base::result<http::client_response> got) {
                       if (!thrown) {
                           answer = std::move(got);
                       }
                   });
    io.run();
    if (!answer) {
        return {false, "does not answer"};
    }
    if (answer->status == 200) {
        return {true, ""};
    }
    const auto line = answer->body.substr(0, answer->body.find('\n'));
    return {false, line.empty() ? fmt::format("answers {}", answer->status) : line};
}

bool wait_for(std::chrono::milliseconds deadline, const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    return true;
}

base::result<std::string> read_file(const path& file) {
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in) {
        return failed(kind::broken, fmt::format("{}: cannot be read", file.string()));
    }
    return text;
}

base::result<void> write_file(const path& file, std::string_view text) {
    const auto fresh = file.string() + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) {
        ::close(fd);
    }
    if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) {
        return failed(kind::broken,
                      fmt::format("{}: cannot be written: {}", file.string(), std::generic_category().message(errno)));
    }
    return {};
}

base::result<void> open_to(const folders& at, const std::string& user) {
    const auto* who = ::getpwnam(user.c_str());
    if (who == nullptr) {
        return failed(kind::broken, fmt::format("semel.yaml: run_as: this machine knows no user {0}: make one "
                                                "(useradd --system {0}), or take run_as out",
                                                user));
    }
    // No walk: a user who can write to a folder could turn a path in it into a link while root walks there.
    const auto give = [&](const path& p, uid_t owner, mode_t mode) {
        return ::lchown(p.c_str(), owner, who->pw_gid) == 0 && (mode == 0 || ::chmod(p.c_str(), mode) == 0);
    };
    bool done = give(at.root, 0, 0750) && give(at.run(), 0, 01770) && give(at.data(), 0, 01770);
    for (const auto& folder : {at.config(), at.config() / "tokens"}) {
        done = done && (!fs::exists(folder) || give(folder, 0, 0750));
        std::error_code none;
        for (const auto& file : fs::directory_iterator{folder, none}) {
            done = done && (file.is_directory() || give(file.path(), who->pw_uid, 0));
        }
    }
    if (!done) {
        return failed(kind::broken, fmt::format("{}: cannot be given to {} (run_as): {}", at.root.string(), user,
                                                std::generic_category().message(errno)));
    }
    const auto uid = fmt::format("--reuid={}", who->pw_uid);
    const auto gid = fmt::format("--regid={}", who->pw_gid);
    if (run({"setpriv", uid, gid, "--clear-groups", "test", "-w", at.data().string()}).exit_code != 0) {
        return failed(kind::broken,
                      fmt::format("the user {} (run_as) cannot reach {}: a folder above it is closed to others. Use a "
                                  "--dir that it can enter (such as /var/lib/semel), or take run_as out",
                                  user, at.data().string()));
    }
    return {};
}

std::string last_lines(const path& file, std::size_t lines) {
    const auto text = read_file(file).value_or("");
    auto from = text.size();
    for (std::size_t seen = 0; from > 0 && (text[from - 1] != '\n' || from == text.size() || ++seen < lines); --from) {
    }
    return text.substr(from);
}

stack_lock::stack_lock(const folders& at)
    : file_(::open((at.run() / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)) {
    while (file_ >= 0 && ::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
}

stack_lock::~stack_lock() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

} // namespace semel::cli::stack
