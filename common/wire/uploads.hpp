#pragma once
// Which records of `audience` are a wave's: those that carry the number of the upload it came from.

#include <semel/v1/campaign.pb.h>

#include <cstdint>

namespace semel::wire {

/// Waves of older versions do not say it: their upload had the wave's number.
inline std::uint32_t upload_of(const v1::Wave& wave) {
    return wave.upload() == 0 ? wave.number() : wave.upload();
}

} // namespace semel::wire
