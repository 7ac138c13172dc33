#include "unsigned_records.hpp"

#include <kafka/consumer.hpp>
#include <kafka/trust.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace semel::cli::stack {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::failed;
using kind = base::fault::kind;

namespace {

bool is_there(const fs::path& file) {
    std::error_code unknown;
    return fs::exists(file, unknown) || unknown; // what cannot be looked at may be there
}

/// Services of another user read it, and it is not secret.
base::result<void> write(const fs::path& file, std::string_view text) {
    const auto fresh = file.string() + ".new";
    std::error_code error;
    bool done = static_cast<bool>((std::ofstream{fresh} << text).flush());
    if (done) {
        fs::permissions(fresh, fs::perms{0644}, error);
        done = !error;
    }
    if (done) {
        fs::rename(fresh, file, error);
        done = !error;
    }
    return done ? base::result<void>{} : failed(kind::broken, fmt::format("cannot write {}", file.string()));
}

base::result<void> mark(const config::settings& s) {
    for (const auto& file : config::mac_marks(s)) {
        if (is_there(file)) {
            continue;
        }
        if (auto done = write(file, "Records in Kafka have MACs. Without this file, a lost note of which have none "
                                    "might be written anew, and believe what others wrote.\n");
            !done) {
            return done;
        }
    }
    return {};
}

asio::awaitable<base::result<bool>> any_genuine(std::vector<std::string> topics, kafka::cluster at) {
    const auto executor = co_await asio::this_coro::executor;
    for (const auto& topic : topics) {
        kafka::reader all{executor, {.bootstrap = at}};
        if (const auto begun = co_await all.from_beginning(topic); !begun) {
            co_return failed(begun.error());
        }
        while (!all.at_end()) {
            const auto believed = co_await all.next();
            if (!believed.empty()) {
                co_return true;
            }
        }
    }
    co_return false;
}

/// Compacted topics keep the last record of each key for ever: where MACs have begun, some stand there.
base::result<bool> macs_began(const config::settings& s, std::span<const kafka::topic_spec> topics) {
    auto ring = crypto::key_ring::load(config::key_files(s));
    if (!ring) {
        return failed(ring.error());
    }
    kafka::trust(*std::move(ring), {});
    std::vector<std::string> names;
    for (const auto& topic : topics) {
        if (topic.compacted) {
            names.push_back(topic.name);
        }
    }
    std::optional<base::result<bool>> found;
    asio::io_context io;
    asio::co_spawn(io, any_genuine(std::move(names), kafka::configured(s)),
                   [&found](const std::exception_ptr& thrown, base::result<bool> said) {
                       try {
                           if (thrown) {
                               std::rethrow_exception(thrown);
                           }
                           found.emplace(std::move(said));
                       } catch (const std::exception& e) { // a right that is missing, say
                           found.emplace(failed(kind::broken, e.what()));
                       }
                   });
    io.run_for(120s);
    if (!found) {
        return failed(kind::unreachable, "Kafka's topics cannot be read");
    }
    return *found;
}

} // namespace

base::result<void> note_unsigned_records(const config::settings& s, kafka::admin& admin,
                                         std::span<const kafka::topic_spec> topics) {
    if (is_there(s.unsigned_records)) {
        return mark(s);
    }
    const auto without = [&] {
        fmt::print(stderr,
                   "{} is missing: no record without a MAC is believed. If this installation was updated from "
                   "a version without MACs, put the file back\n",
                   s.unsigned_records.string());
        return mark(s);
    };
    if (std::ranges::any_of(config::mac_marks(s), is_there)) {
        return without();
    }
    std::string lines;
    for (const auto& topic : topics) {
        const auto ends = admin.ends(topic.name);
        if (!ends) {
            return failed(ends.error());
        }
        for (const auto& one : *ends) {
            if (one.next > 0) {
                lines += fmt::format("{}:{}:{}\n", one.at.topic, one.at.partition, one.next);
            }
        }
    }
    if (!lines.empty()) {
        const auto began = macs_began(s, topics);
        if (!began) {
            return failed(began.error());
        }
        if (*began) {
            return without();
        }
    }
    if (auto done = write(s.unsigned_records, lines); !done) {
        return done;
    }
    return mark(s); // last: without its note it would be taken for one that was lost
}

} // namespace semel::cli::stack
