#pragma once
// The list of test addresses: what semel.yaml says (`tests.addresses`) and what approvers added. Rows are never
// deleted, so that it can be told later who let whom in.

#include <api/core/test_addresses.hpp>
#include <api/edge/api.hpp>

#include <pqxx/pqxx>

namespace semel::api {

/// All that are in force. Throws std::runtime_error for an address of the settings that cannot be read.
test_addresses listed_test_addresses(pqxx::transaction_base&, const config::settings&, const crypto::key_ring&);

} // namespace semel::api
