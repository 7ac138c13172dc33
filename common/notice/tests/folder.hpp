#pragma once
// A small notice that passes check(), to be broken in one place by each test.

#include <notice/check.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace semel::notice::test {

inline files a_folder() {
    return {{"notice.yaml", "kind: breach\n"
                            "title: {en: \"Notice of data leak\"}\n"
                            "jurisdictions: [KR-PIPA]\n"
                            "aware_at: 2026-01-05T00:00:00Z\n"
                            "sender: {organisation: Garam, email: notice@example.com, sms: \"1577-0000\"}\n"
                            "contact: {department: Privacy, phone: \"1577-0000\", numbers: [\"118\"]}\n"
                            "facts: {leaked: [name, entrance_code]}\n"
                            "segments: [code]\n"
                            "slots: {name: {default: {en: customer}}}\n"
                            "locales: {default: en}\n"},
            {"email.en.md", "Dear {{name}}, your data at Garam leaked. Check: {{verification}}\n"
                            "\n"
                            "## What happened {#what_happened}\n"
                            "On 5 January.\n"
                            "## What was leaked {#what_leaked}\n"
                            "Names. That is your name and your entrance code.\n"
                            "## What you can do {#what_you_can_do}\n"
                            "{{#code}}\n"
                            "Change your code.\n"
                            "{{/code}}\n"
                            "Open our app yourself. Do not click links.\n"
                            "## What we do {#what_we_do}\n"
                            "We closed it.\n"
                            "## Redress {#remedies}\n"
                            "Write to us.\n"
                            "## Contact {#contact}\n"
                            "Privacy, phone 1577-0000.\n"},
            {"push.en.yaml", "title: Data leak\nbody: Your data leaked. Open the app.\n"},
            {"sms.en.txt", "Garam: your data leaked. Open our app.{{#code}} Change your code.{{/code}}\n"}};
}

/// The folder with one text replaced in one file; the text must be there.
inline files with(std::string_view file, std::string_view old, std::string_view now) {
    auto folder = a_folder();
    auto& text = folder.at(std::string{file});
    text.replace(text.find(old), old.size(), now); // throws when it is not there
    return folder;
}

/// "file:line id", in order.
inline std::vector<std::string> found(const files& folder) {
    std::vector<std::string> out;
    for (const auto& p : check(folder).problems) {
        out.push_back(p.file + ":" + std::to_string(p.line) + " " + p.id);
    }
    return out;
}

} // namespace semel::notice::test
