#pragma once
// A phone number as services compare it without knowing it: a keyed hash of the whole, and one of its last eight
// digits, because a centre may report a number as it is dialled at home. Pure.

#include <crypto/keys.hpp>

#include <string>
#include <string_view>

namespace semel::correlation {

/// Both hashes, 16 bytes each, behind four bytes that name their key: hashes under different keys say nothing about
/// each other, neither that two numbers are the same nor that they differ. Empty for what has no digits.
std::string number_hash(const crypto::key_ring::named_key&, std::string_view number);

/// Of a number_hash(). What older versions wrote names no key, or has no tail: it compares with nothing new.
std::string_view whole_of(std::string_view number_hash) noexcept;
std::string_view tail_of(std::string_view number_hash) noexcept;

} // namespace semel::correlation
