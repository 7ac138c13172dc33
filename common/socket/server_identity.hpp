#pragma once
// What a TLS server shows: a certificate and its key, in files that are replaced while it runs.

#include <base/fault.hpp>

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace semel::socket {

class server_identity {
  public:
    /// `broken`, in words, when the files cannot be read or do not belong together. `complain` is told of a later
    /// replacement that will not do; the one before it stays in use then.
    static base::result<server_identity> load(std::filesystem::path certificate, std::filesystem::path key,
                                              std::function<void(std::string_view)> complain);

    /// For one more connection, of the files as they are now.
    std::shared_ptr<boost::asio::ssl::context> context();

  private:
    struct stamp {
        std::filesystem::file_time_type certificate, key;
        friend bool operator==(const stamp&, const stamp&) = default;
    };
    server_identity() = default;
    stamp present() const;
    base::result<std::shared_ptr<boost::asio::ssl::context>> read() const;

    std::filesystem::path certificate_, key_;
    std::function<void(std::string_view)> complain_;
    std::shared_ptr<boost::asio::ssl::context> context_;
    stamp of_context_;
    stamp refused_;
};

} // namespace semel::socket
