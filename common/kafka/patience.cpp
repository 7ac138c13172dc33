#include <kafka/patience.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace semel::kafka {

std::chrono::milliseconds patience::failed() {
    if (used_ >= whole_) {
        throw std::runtime_error{
            fmt::format("{}: Kafka answers, and no transaction was committed in {} s of trying; is it well? Starting "
                        "anew: nothing is lost, what stands is read back",
                        who_, std::chrono::ceil<std::chrono::seconds>(whole_).count())};
    }
    const auto pause = pauses_.next();
    used_ += pause;
    return pause;
}

void patience::committed() noexcept {
    used_ = {};
    pauses_.reset();
}

} // namespace semel::kafka
