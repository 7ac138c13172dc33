// semel-ledger-run BOOTSTRAP DSN PEOPLE: events of a made-up campaign through a real Kafka into a database of its own,
// in this process: each person's row, and its message accepted and delivered. Prints the rate, the memory, and how long
// the questions take that are asked while a campaign runs. DSN is a database where CREATE DATABASE is allowed.

#include <base/must.hpp>
#include <base/time.hpp>
#include <crypto/hash.hpp>
#include <kafka/admin.hpp>
#include <kafka/producer.hpp>
#include <runtime/race.hpp>
#include <wire/identity.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <ledger/edge/service.hpp>
#include <support/records.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

constexpr std::int32_t partitions = 8;
constexpr int events_of_a_person = 3;
constexpr const char* campaign = "c-load";

using base::must;

double seconds_since(clock_type::time_point begun) {
    return std::chrono::duration<double>(clock_type::now() - begun).count();
}

long resident_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

struct made_up {
    std::string id = fmt::format("ledger_run_{}", ::getpid());

    v1::Event event(v1::EventKind kind, std::string_view subject) const {
        v1::Event e;
        e.set_kind(kind);
        e.set_id(wire::event_id(kind, subject, 1));
        e.set_campaign_id(campaign);
        e.set_time_us(base::to_us(base::now()));
        return e;
    }
    /// A person, and the two events of its message.
    std::vector<std::pair<std::string, v1::Event>> of(std::uint64_t number) const {
        const auto hash = crypto::sha256(std::to_string(number));
        const std::string notification{base::as_view(hash)};
        const auto person = notification.substr(0, 16);
        auto recipient = event(v1::EVENT_RECIPIENT, person);
        recipient.set_wave(1);
        recipient.set_row(number + 1);
        recipient.set_recipient_ref(person);
        recipient.set_sealed(std::string(220, '\x5a'));
        auto& link = *recipient.add_links();
        link.set_channel(v1::CHANNEL_EMAIL);
        link.set_notification(notification);
        link.set_artifact(notification);
        auto accepted = event(v1::EVENT_ACCEPTED, notification);
        auto delivered = event(v1::EVENT_RECEIPT, notification);
        delivered.set_receipt(v1::RECEIPT_DELIVERED);
        for (auto* e : {&accepted, &delivered}) {
            e->set_notification(notification);
            e->set_channel(v1::CHANNEL_EMAIL);
            e->set_attempt(1);
            e->set_gateway("relay-a");
            e->set_code("250");
            e->set_gateway_message_id(base::to_hex(person));
            e->set_recipient_ref(person);
            e->set_wave(1);
            e->set_row(number + 1);
        }
        accepted.set_content_sha256(notification);
        return {
            {person, std::move(recipient)}, {notification, std::move(accepted)}, {notification, std::move(delivered)}};
    }
};

/// Rows first, in rounds of some ten thousand people, as a running campaign has them.
asio::awaitable<void> fill(asio::any_io_executor executor, std::string bootstrap, const made_up& what,
                           std::uint64_t people) {
    kafka::transactional_producer producer{executor, {.bootstrap = std::move(bootstrap), .transactional_id = what.id}};
    co_await producer.init();
    for (std::uint64_t from = 0; from < people; from += 10'000) {
        std::vector<std::vector<v1::EventBatch>> batches(events_of_a_person, std::vector<v1::EventBatch>(partitions));
        producer.begin();
        for (auto i = from; i < std::min(people, from + 10'000); ++i) {
            auto events = what.of(i);
            for (std::size_t k = 0; k < events.size(); ++k) {
                const auto p = base::partition_of(events[k].first, partitions);
                *batches[k][static_cast<std::size_t>(p)].add_events() = std::move(events[k].second);
            }
        }
        for (const auto& kind : batches) {
            for (std::int32_t p = 0; p < partitions; ++p) {
                kafka::topic_partition to{what.id, p};
                const auto bytes = kind[static_cast<std::size_t>(p)].SerializeAsString();
                co_await producer.produce(std::move(to), {}, bytes);
            }
        }
        const auto done = co_await producer.commit({}, nullptr);
        if (done.outcome != kafka::outcome::committed) {
            throw std::runtime_error{done.why};
        }
    }
}

asio::awaitable<void> until_written(std::string dsn, std::uint64_t people) {
    pqxx::connection c{dsn};
    for (;;) {
        pqxx::nontransaction tx{c};
        const auto there = tx.exec1("SELECT to_regclass('ledger.channel_totals') IS NOT NULL")[0].as<bool>();
        if (there && tx.exec1("SELECT coalesce(sum(delivered), 0) FROM ledger.channel_totals")[0].as<std::uint64_t>() >=
                         people) {
            co_return;
        }
        co_await runtime::sleep(100ms);
    }
}

void ask(pqxx::connection& c, const std::string& what) {
    const auto begun = clock_type::now();
    pqxx::work tx{c};
    const auto rows = tx.exec_params("SELECT * FROM ledger." + what, campaign).size();
    fmt::print("{:<18} {:8.1f} ms, {} rows\n", what.substr(0, what.find('(')), seconds_since(begun) * 1'000, rows);
}

void run(const std::string& bootstrap, const std::string& server, std::uint64_t people) {
    const made_up what;
    kafka::admin admin{bootstrap};
    must(admin.wait_until_ready(30s));
    must(admin.create_topics(
        std::vector<kafka::topic_spec>{{.name = what.id, .partitions = partitions, .compacted = false, .config = {}}}));
    pqxx::connection administrator{server};
    const auto administer = [&](const std::string& sql) { pqxx::nontransaction{administrator}.exec(sql); };
    administer("CREATE DATABASE " + what.id);
    const auto host = server.find("://");
    const auto path = host == std::string::npos ? host : server.find('/', host + 3);
    const auto query = server.find('?');
    const auto dsn = path == std::string::npos
                         ? server + " dbname=" + what.id
                         : server.substr(0, path + 1) + what.id +
                               (query == std::string::npos ? std::string{} : server.substr(query));

    asio::io_context io;
    std::exception_ptr failed;
    const auto play = [&](asio::awaitable<void> story) {
        asio::co_spawn(io, std::move(story), [&](std::exception_ptr e) {
            failed = e;
            io.stop();
        });
        io.run();
        io.restart();
        if (failed) {
            std::rethrow_exception(failed);
        }
    };
    play(fill(io.get_executor(), bootstrap, what, people));
    const auto before = resident_mib();
    {
        postgres::pool db{dsn, 2};
        telemetry::metrics metrics;
        ledger::settings settings;
        settings.bootstrap = bootstrap;
        settings.instance = settings.group = settings.topic = what.id;
        ledger::service service{io.get_executor(), settings, db, metrics, [](const auto&) {}};
        const auto begun = clock_type::now();
        play(service.run(until_written(dsn, people)));
        const auto spent = seconds_since(begun);
        const auto events = people * events_of_a_person;
        fmt::print("{} events written in {:.1f} s: {:.0f} events/s; {} MiB resident at most ({} before)\n", events,
                   spent, static_cast<double>(events) / spent, resident_mib(), before);
    }
    {
        pqxx::connection c{dsn};
        for (const auto* question :
             {"coverage($1)", "channels($1)", "waves($1)", "open_messages($1)", "in_doubt($1)", "unreached($1)"}) {
            ask(c, question);
        }
    }
    administer("DROP DATABASE " + what.id);
    must(admin.delete_topics(std::vector{what.id}));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: semel-ledger-run BOOTSTRAP DSN PEOPLE\n"
                           "example: semel-ledger-run 127.0.0.1:19092 postgresql:///semel 1000000\n");
        return 2;
    }
    try {
        run(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "semel-ledger-run: {}\n", error.what());
        return 1;
    }
}
