#pragma once
// The server's side of one HTTP/2 connection: frames are nghttp2's, what is said is push_server's.

#include "desk.hpp"
#include "push_server.hpp"
#include "session.hpp"

#include <memory>
#include <unordered_map>

struct nghttp2_session;

namespace semel::gateways {

class http2_session final : public session {
  public:
    http2_session(desk&, wire&, push_server&, std::uint64_t connection);
    ~http2_session() override;
    void received(std::string_view bytes) override;
    void take_output(std::string& out) override;
    bool owes() const noexcept override { return owed_ > 0; }
    void farewell() override;
    void lost() override { closed_ = true; }

  private:
    struct stream;
    struct callbacks; // nghttp2's, which are C

    void on_body(std::int32_t id, stream&);
    void on_end(std::int32_t id, stream&);
    bool decide_early(stream&);
    void accept(std::int32_t id, const course&, const checked_push&, std::string_view body);
    void answer_later(std::int32_t id, std::chrono::microseconds, push_answer);
    void refuse(std::int32_t id, const course&, const refusal&, const push_request&);
    void give(std::int32_t id, push_answer);

    struct freed {
        void operator()(nghttp2_session*) const noexcept;
    };

    desk& desk_;
    wire& wire_;
    push_server& server_;
    std::uint64_t connection_;
    std::unique_ptr<nghttp2_session, freed> frames_;
    std::unordered_map<std::int32_t, std::unique_ptr<stream>> streams_;
    std::size_t owed_ = 0;
    bool closed_ = false;
};

} // namespace semel::gateways
