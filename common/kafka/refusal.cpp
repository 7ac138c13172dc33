#include <kafka/refusal.hpp>

#include <memory>
#include <mutex>

namespace semel::kafka {
namespace {

struct holder {
    std::mutex guard;
    std::shared_ptr<const refusal_sink> sink;
};

holder& the_holder() {
    static auto& instance = *new holder; // for ever: clients outlive static objects
    return instance;
}

} // namespace

void tell_refusals_to(refusal_sink sink) {
    auto& here = the_holder();
    const std::lock_guard lock{here.guard};
    here.sink = std::make_shared<const refusal_sink>(std::move(sink));
}

void refuse(const record& r, std::string_view why) {
    std::shared_ptr<const refusal_sink> sink;
    {
        auto& here = the_holder();
        const std::lock_guard lock{here.guard};
        sink = here.sink;
    }
    if (sink && *sink) {
        (*sink)({.at = r.at(), .offset = r.offset(), .key = r.key(), .value = r.value(), .why = why});
    }
}

} // namespace semel::kafka
