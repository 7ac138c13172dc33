#include "import_order.hpp"

#include <audience/sealed_file.hpp>
#include <base/ids.hpp>
#include <crypto/hash.hpp>
#include <notice/source.hpp>
#include <wire/topics.hpp>

#include <api/edge/store.hpp>

namespace semel::api {

std::filesystem::path upload_path(const std::filesystem::path& data_dir, const std::string& campaign,
                                  std::uint32_t number) {
    return data_dir / "uploads" / audience::upload_file({.campaign = base::campaign_id{campaign}, .number = number});
}

v1::ImportOrder import_order(const v1::Campaign& c, const v1::NoticeSource& source, std::uint32_t number,
                             const std::string& format, const std::string& digest) {
    v1::ImportOrder order;
    order.set_campaign_id(c.id());
    order.set_upload(number);
    order.set_format(format);
    order.set_file_digest(digest);
    order.set_wrapped_key(c.wrapped_key());
    order.set_default_region(c.default_region());
    order.set_default_locale(c.default_locale());
    *order.mutable_locale_fallback() = c.locale_fallback();
    *order.mutable_locales() = c.locales();
    *order.mutable_segment_names() = c.segment_names();
    *order.mutable_channels() = c.channels();
    order.set_cut_after_row(c.canary().rows());
    notice::files files{source.files().begin(), source.files().end()};
    for (const auto& [slot, definition] : notice::parse(files).source.slots) {
        order.add_slot_names(slot);
    }
    return order;
}

void enqueue_import(pqxx::work& tx, const v1::ImportOrder& order, std::int32_t order_partitions) {
    const auto hash = crypto::sha256(order.campaign_id());
    store::enqueue(tx, wire::intake_work, base::partition_of(base::as_view(hash), order_partitions),
                   order.campaign_id(), order.SerializeAsString());
}

} // namespace semel::api
