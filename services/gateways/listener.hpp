#pragma once
// One port: accepts connections and joins each socket to a session of its protocol. One thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gateways/agenda.hpp>
#include <gateways/desk.hpp>
#include <gateways/session.hpp>

#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace semel::gateways {

class link;

class listener {
  public:
    using make_session = std::function<std::unique_ptr<session>(wire&, std::uint64_t connection)>;

    /// `tls` may be null.
    listener(agenda&, boost::asio::ip::tcp::acceptor, std::shared_ptr<boost::asio::ssl::context> tls, desk&,
             make_session);
    ~listener();

    gateways::desk& desk() noexcept { return desk_; }
    /// The behaviour may have changed: what hung goes on.
    void behaviour_changed();
    void disconnect();
    /// Accepts no more and says goodbye; true once no answer is owed.
    void stop_accepting();
    void farewell();
    bool owes() const;

  private:
    friend class link;
    void accept();
    void open(boost::asio::ip::tcp::socket);
    std::vector<std::shared_ptr<link>> all() const; // to walk while some close

    agenda& agenda_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::shared_ptr<boost::asio::ssl::context> tls_;
    gateways::desk& desk_;
    make_session make_;
    std::unordered_set<std::shared_ptr<link>> links_; // open ones
};

} // namespace semel::gateways
