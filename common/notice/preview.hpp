#pragma once
// How a message looks to the person who gets it: for `semel notice preview`, and for an auditor who renders it again.

#include <base/fault.hpp>
#include <notice/content.hpp>

#include <string>
#include <vector>

namespace semel::notice {

struct preview {
    struct file {
        std::string name; // "message.eml"
        std::string bytes;
    };
    std::string summary;     // for a terminal
    std::vector<file> files; // the exact bytes, and what a reader shows of them
};

/// A push whose delivery names no transport is shown as APNs and as FCM would get it.
base::result<preview> render_preview(const v1::Artifact&, const values&);

} // namespace semel::notice
