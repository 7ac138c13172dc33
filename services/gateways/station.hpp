#pragma once
// All listeners of the process and what the control port does with them. One thread.

#include "listener.hpp"

#include <http/server.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <gateways/config.hpp>

#include <memory>
#include <vector>

namespace semel::gateways {

class station {
  public:
    /// Listens at once. Throws std::runtime_error that says what is wrong with the file or taken.
    station(const boost::asio::any_io_executor&, const settings&);
    ~station();

    json::value counts() const;
    json::value behaviours() const;
    /// All or nothing.
    base::result<void> change(const json::object&);
    void reset(bool behaviour_too, bool tries_too);
    /// How many listeners it met: of this kind, or of this name.
    std::size_t disconnect(std::string_view kind_or_listener);

    void stop_accepting();
    void farewell();
    bool owes() const;

  private:
    struct unit;
    agenda agenda_;
    std::vector<std::unique_ptr<unit>> units_;
};

http::router control_routes(station&);

} // namespace semel::gateways
