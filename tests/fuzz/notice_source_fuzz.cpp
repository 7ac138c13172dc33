// A notice folder with one hostile file: checked without a crash, and what passes compiles and fills.
#include <notice/check.hpp>
#include <notice/compile.hpp>
#include <notice/content.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace semel;

namespace {

const notice::files& sound() {
    static const notice::files folder{
        {"notice.yaml", "kind: breach\n"
                        "title: {en: \"Notice of data leak\"}\n"
                        "aware_at: 2026-01-05T00:00:00Z\n"
                        "sender: {organisation: Garam, email: notice@example.com, sms: \"1577-0000\"}\n"
                        "contact: {department: Privacy, phone: \"1577-0000\"}\n"
                        "segments: [code]\n"
                        "slots: {name: {default: {en: customer}}}\n"
                        "locales: {default: en}\n"},
        {"email.en.md", "Dear {{name}}, your data leaked.\n{{#code}}\nChange your code.\n{{/code}}\n"},
        {"push.en.yaml", "title: Data leak\nbody: Your data leaked.\n"},
        {"sms.en.txt", "Your data leaked.{{#code}} Change your code.{{/code}}\n"}};
    return folder;
}

constexpr std::array files{"notice.yaml", "email.en.md", "push.en.yaml", "sms.en.txt"};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    auto folder = sound();
    folder[files[data[0] % files.size()]] = std::string{reinterpret_cast<const char*>(data + 1), size - 1};
    const auto checked = notice::check(folder);
    if (!checked.ok()) {
        return 0;
    }
    v1::Delivery delivery;
    delivery.mutable_address()->set_given("a@example.com");
    delivery.mutable_address()->set_transport("fcm");
    for (const auto& one : notice::compile(checked.source, notice::digest_of(folder))) {
        const auto filled = notice::fill(one.artifact, {.campaign = {},
                                                        .notification = {},
                                                        .planned_at = {},
                                                        .delivery = &delivery,
                                                        .test = false,
                                                        .give_up = std::nullopt});
        if (!filled) {
            std::abort();
        }
    }
    return 0;
}
