#include "staged_push.hpp"

#include <base/codes.hpp>

namespace semel::push {

boost::asio::awaitable<delivery::verdict> staged_push::release() {
    exchange_->release();
    const auto end = co_await exchange_->answer(patience_);
    if (end) {
        co_return read_(*end);
    }
    co_return judge(end.error());
}

delivery::beginning not_begun(const base::fault& why) {
    if (why.what() == base::fault::kind::throttled) {
        return delivery::busy{};
    }
    return delivery::refused{judge(why, codes::connect)};
}

} // namespace semel::push
