#include "stored_upload.hpp"

#include <audience/decoder.hpp>

namespace semel::intake {

base::result<stored_upload> stored_upload::open(const std::filesystem::path& uploads, const order& what,
                                                const audience::limits& most) {
    auto opened = audience::sealed_reader::open(uploads / audience::upload_file(what.place()), what.key, what.place());
    if (!opened) {
        return base::failed(std::move(opened.error()));
    }
    auto file = std::make_shared<audience::sealed_reader>(std::move(*opened));
    auto decoder = std::make_shared<audience::decoder>([file] { return file->next(); }, most.decoded);
    auto terms = what.terms;
    terms.most_rows = most.rows;
    audience::importer rows{[decoder] { return decoder->next(); }, what.format, std::move(terms)};
    return stored_upload{std::move(file), std::move(rows)};
}

} // namespace semel::intake
