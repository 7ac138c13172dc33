#pragma once
// What becomes of a NoticeSource: artifacts, and the word to the api. Pure: the same source gives the same records.

#include <semel/v1/artifact.pb.h>
#include <semel/v1/audience.pb.h>

#include <string>
#include <vector>

namespace semel::render {

struct artifact_record {
    std::string key; // the artifact's id, 32 bytes
    std::string value;
};
struct rendering {
    std::vector<artifact_record> artifacts; // none when the notice has errors
    v1::Feedback feedback;                  // NoticeCompiled
};

/// The api has checked the folder already; it is checked again here, because nothing else stands between a record of
/// `notices` and the people who will read it.
rendering render(const v1::NoticeSource&);

} // namespace semel::render
