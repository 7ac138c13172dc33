#include "staged_push.hpp"

namespace semel::push {

boost::asio::awaitable<delivery::verdict> staged_push::release() {
    exchange_->release();
    const auto end = co_await exchange_->answer(patience_);
    if (end) {
        co_return read_(*end);
    }
    co_return judge(end.error());
}

} // namespace semel::push
