#pragma once
// What plan counts, for /metrics.

#include <base/ids.hpp>
#include <telemetry/metrics.hpp>

#include <map>
#include <string>

namespace semel::plan {

struct probe {
    explicit probe(telemetry::metrics& m)
        : registered(m.make_counter("semel_plan_registered_recipients_total",
                                    "Recipients written into the register, repetitions included"))
        , released(m.make_counter("semel_plan_released_recipients_total", "Rows decided and committed"))
        , dead_letters(m.make_counter("semel_plan_dead_letters_total", "Audience records that could not be read"))
        , transactions(m.make_counter("semel_plan_transactions_total", "Kafka transactions committed"))
        , failed_transactions(m.make_counter("semel_plan_transactions_failed_total",
                                             "Kafka transactions aborted or of unknown outcome"))
        , heads_made(m.make_counter("semel_plan_register_heads_total",
                                    "Registers begun: one for each campaign, and one for each loss of Redis"))
        , removed(m.make_counter("semel_plan_registers_removed_total",
                                 "Registers taken out of Redis because their campaign is over"))
        , losses(m.make_counter("semel_plan_register_losses_total",
                                "Times that release found the register lost, unreachable or incomplete"))
        , seconds(m.make_histogram("semel_plan_transaction_seconds", "From the first record to the commit's answer", {},
                                   {0.01, 0.03, 0.1, 0.3, 1, 3, 10})) {
        for (const auto c : {base::channel::email, base::channel::push, base::channel::sms}) {
            messages.emplace(c, m.make_counter("semel_plan_released_messages_total", "Records put to dispatch.*",
                                               {{"channel", std::string{base::to_string(c)}}}));
        }
    }

    telemetry::counter registered, released, dead_letters, transactions, failed_transactions, heads_made, removed,
        losses;
    telemetry::histogram seconds;
    std::map<base::channel, telemetry::counter> messages;
};

} // namespace semel::plan
