#pragma once
// Certificates of one test, made by openssl (deploy/local/certificates). Tests run in the project's folder.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace semel::support {

/// A certificate authority in a folder of its own, what it signed, and the folder's end.
class certificates {
  public:
    certificates() {
        std::string pattern = (std::filesystem::temp_directory_path() / "semel-tls-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error{"no temporary folder"};
        }
        folder_ = pattern;
        make();
    }
    certificates(const certificates&) = delete;
    certificates& operator=(const certificates&) = delete;
    ~certificates() { std::filesystem::remove_all(folder_); }

    /// Another authority and other certificates under the same names.
    void renew() {
        std::filesystem::remove(server());
        make();
    }
    std::filesystem::path ca() const { return folder_ / "ca.pem"; }
    std::filesystem::path server() const { return folder_ / "server.pem"; } // localhost, 127.0.0.1
    std::filesystem::path server_key() const { return folder_ / "server.key"; }
    std::filesystem::path client() const { return folder_ / "client.pem"; } // semel
    std::filesystem::path client_key() const { return folder_ / "client.key"; }
    const std::filesystem::path& folder() const noexcept { return folder_; }

  private:
    void make() const {
        if (std::system(("deploy/local/certificates '" + folder_.string() + "'").c_str()) != 0) { // NOLINT
            throw std::runtime_error{"deploy/local/certificates failed: is openssl there?"};
        }
    }
    std::filesystem::path folder_;
};

} // namespace semel::support
