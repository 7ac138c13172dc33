#include "listener.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace semel::gateways {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t most_waiting_output = std::size_t{4} * 1024 * 1024; // a peer that asks and does not read

} // namespace

/// One connection. The listener keeps it while it is open; what is pending on its socket keeps it to the end.
class link : public wire, public std::enable_shared_from_this<link> {
  public:
    explicit link(listener& l)
        : listener_(l)
        , desk_(l.desk_)
        , connection_(desk_.connected()) {}
    link(const link&) = delete;
    link& operator=(const link&) = delete;
    ~link() override = default;

    virtual void open() = 0;

    void later(std::chrono::microseconds wait, std::function<void()> what) override {
        listener_.agenda_.after(wait, [me = weak_from_this(), what = std::move(what)] {
            if (const auto self = me.lock(); self && !self->closed_) {
                what();
                self->pump();
            }
        });
    }

    /// What several events of one turn of the loop leave to write goes out together.
    void pump() override {
        if (closed_ || pump_waits_ || !session_) {
            return;
        }
        pump_waits_ = true;
        asio::post(executor(), [self = shared_from_this()] {
            self->pump_waits_ = false;
            self->pump_now();
        });
    }

    void reset() override {
        if (!closed_) {
            desk_.flush();
            error_code ignored;
            socket().set_option(asio::socket_base::linger{true, 0}, ignored);
            close();
        }
    }

    void hang_up() override { closing_ = true; }

    void read_if_wanted() {
        if (closed_ || closing_ || reading_ || unheard_ != 0 || session_->holds() || desk_.now().hang ||
            waiting_.size() > most_waiting_output) {
            return;
        }
        reading_ = true;
        read(asio::buffer(buffer_));
    }

    bool has_session() const noexcept { return session_ && !closed_; }
    bool is_writing() const noexcept { return writing_ || pump_waits_; }
    session& talk() { return *session_; }

  protected:
    virtual tcp::socket& socket() = 0;
    virtual asio::any_io_executor executor() = 0;
    virtual void read(asio::mutable_buffer) = 0; // calls was_read()
    virtual void write(asio::const_buffer) = 0;  // all of it; calls was_written()

    void begin() {
        session_ = listener_.make_(*this, connection_);
        pump_now();
    }

    void was_read(const error_code& error, std::size_t n) {
        reading_ = false;
        if (closed_) {
            return;
        }
        if (error) {
            desk_.flush();
            return close();
        }
        unheard_ = n;
        pump_now();
    }

    void was_written(const error_code& error) {
        writing_ = false;
        if (error) {
            return close();
        }
        pump_now();
    }

    void close() {
        if (!std::exchange(closed_, true)) {
            error_code ignored;
            socket().close(ignored);
            desk_.disconnected();
            if (session_) {
                session_->lost();
            }
            listener_.links_.erase(shared_from_this());
        }
    }

  private:
    void pump_now() {
        if (closed_) {
            return;
        }
        if (unheard_ != 0 && !desk_.now().hang) {
            session_->received({buffer_.data(), std::exchange(unheard_, 0)});
            if (closed_) {
                return;
            }
        }
        session_->take_output(waiting_);
        desk_.flush(); // noted first, answered then; and noted where no answer follows
        if (!writing_ && !waiting_.empty()) {
            leaving_.clear();
            leaving_.swap(waiting_);
            writing_ = true;
            write(asio::buffer(leaving_));
        }
        if (closing_ && !writing_) {
            error_code ignored;
            socket().shutdown(tcp::socket::shutdown_send, ignored);
            return close();
        }
        read_if_wanted();
    }

    listener& listener_;
    desk& desk_;
    std::uint64_t connection_;
    std::unique_ptr<session> session_;
    std::array<char, std::size_t{64} * 1024> buffer_{};
    std::string waiting_, leaving_;
    std::size_t unheard_ = 0; // of buffer_
    bool reading_ = false, writing_ = false, pump_waits_ = false, closing_ = false, closed_ = false;
};

namespace {

template <class Stream>
class link_over final : public link {
  public:
    template <class... Args>
    explicit link_over(listener& l, tcp::socket s, Args&&... tls)
        : link(l)
        , stream_(std::move(s), std::forward<Args>(tls)...) {}

    void open() override {
        if constexpr (std::is_same_v<Stream, tcp::socket>) {
            begin();
        } else {
            stream_.async_handshake(asio::ssl::stream_base::server,
                                    [this, self = shared_from_this()](error_code error) {
                                        if (error) {
                                            return close();
                                        }
                                        begin();
                                    });
        }
    }

  protected:
    tcp::socket& socket() override {
        if constexpr (std::is_same_v<Stream, tcp::socket>) {
            return stream_;
        } else {
            return stream_.next_layer();
        }
    }
    asio::any_io_executor executor() override { return stream_.get_executor(); }
    void read(asio::mutable_buffer into) override {
        stream_.async_read_some(
            into, [this, self = shared_from_this()](error_code error, std::size_t n) { was_read(error, n); });
    }
    void write(asio::const_buffer all) override {
        asio::async_write(stream_, all,
                          [this, self = shared_from_this()](error_code error, std::size_t) { was_written(error); });
    }

  private:
    Stream stream_;
};

} // namespace

listener::listener(agenda& a, tcp::acceptor acceptor, std::shared_ptr<asio::ssl::context> tls, gateways::desk& d,
                   make_session make)
    : agenda_(a)
    , acceptor_(std::move(acceptor))
    , tls_(std::move(tls))
    , desk_(d)
    , make_(std::move(make)) {
    accept();
}

listener::~listener() = default;

void listener::accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket s) {
        if (!acceptor_.is_open()) {
            return;
        }
        if (!error) {
            open(std::move(s));
            return accept();
        }
        // Out of descriptors, most likely: those in use will come free.
        agenda_.after(std::chrono::milliseconds{100}, [this] { accept(); });
    });
}

void listener::open(tcp::socket s) {
    error_code ignored;
    s.set_option(tcp::no_delay{true}, ignored);
    if (desk_.now().refuse_connections) {
        s.set_option(asio::socket_base::linger{true, 0}, ignored);
        return;
    }
    std::shared_ptr<link> made;
    if (tls_) {
        made = std::make_shared<link_over<asio::ssl::stream<tcp::socket>>>(*this, std::move(s), *tls_);
    } else {
        made = std::make_shared<link_over<tcp::socket>>(*this, std::move(s));
    }
    links_.insert(made);
    made->open();
}

std::vector<std::shared_ptr<link>> listener::all() const {
    return {links_.begin(), links_.end()};
}

void listener::behaviour_changed() {
    for (const auto& l : all()) {
        l->pump();
    }
}

void listener::disconnect() {
    for (const auto& l : all()) {
        l->reset();
    }
}

void listener::stop_accepting() {
    error_code ignored;
    acceptor_.close(ignored);
}

void listener::farewell() {
    for (const auto& l : all()) {
        if (l->has_session()) {
            l->talk().farewell();
            l->pump();
        }
    }
}

bool listener::owes() const {
    return std::ranges::any_of(links_,
                               [](const auto& l) { return l->has_session() && (l->talk().owes() || l->is_writing()); });
}

} // namespace semel::gateways
