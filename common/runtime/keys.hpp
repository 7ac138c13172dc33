#pragma once
// The installation's keys in a process: read at its start, and again when semel.yaml or a key file changes, so that
// `semel keys rotate` needs no restart.

#include <config/config.hpp>
#include <crypto/key_ring.hpp>

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace semel::runtime {

class watched_keys {
  public:
    /// Throws std::runtime_error in words when a key cannot be read.
    explicit watched_keys(const config::settings&);
    watched_keys(const watched_keys&) = delete;
    watched_keys& operator=(const watched_keys&) = delete;
    ~watched_keys();

    const crypto::key_ring& ring() const noexcept { return ring_; }
    /// Reads the files again if one of them is not what it was. Cheap when none is. What cannot be read is logged, and
    /// the keys stay as they were.
    void look_again();
    /// Looks every two seconds until cancelled.
    boost::asio::awaitable<void> watch();

  private:
    std::vector<std::string> stamps() const;

    std::filesystem::path settings_file_;
    std::vector<std::filesystem::path> files_;
    std::vector<std::string> seen_;
    crypto::key_ring ring_;
};

} // namespace semel::runtime
