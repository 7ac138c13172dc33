#include "sealed.hpp"

#include <fmt/format.h>

namespace semel::wire {
namespace {

std::string place_of(const v1::AudienceRecord& record) {
    return fmt::format("audience|{}|{}|{}", record.campaign_id(), record.upload(), record.chunk());
}

std::string place(std::string_view kind, std::string_view id) {
    std::string out{kind};
    out += '|';
    out += id;
    return out;
}

template <class Message>
base::result<Message> open_as(const crypto::campaign_key& key, std::string_view sealed, std::string_view where) {
    const auto plain = crypto::open(key, sealed, where);
    if (!plain) {
        return base::failed(plain.error());
    }
    Message message;
    if (!message.ParseFromString(*plain)) {
        return base::failed(base::fault::kind::malformed,
                            "the sealed part opens but is no " + std::string{Message::descriptor()->name()});
    }
    return message;
}

} // namespace

std::string seal_delivery(const crypto::campaign_key& key, std::string_view notification,
                          const v1::Delivery& delivery) {
    return crypto::seal(key, delivery.SerializeAsString(), place("dispatch", notification));
}
base::result<v1::Delivery> open_delivery(const crypto::campaign_key& key, const v1::Dispatch& dispatch) {
    return open_as<v1::Delivery>(key, dispatch.sealed(), place("dispatch", dispatch.notification()));
}

void seal_chunk(const crypto::campaign_key& key, v1::AudienceRecord& record, const v1::AudienceChunk& chunk) {
    record.set_sealed(crypto::seal(key, chunk.SerializeAsString(), place_of(record)));
}
base::result<v1::AudienceChunk> open_chunk(const crypto::campaign_key& key, const v1::AudienceRecord& record) {
    return open_as<v1::AudienceChunk>(key, record.sealed(), place_of(record));
}

std::string seal_recipient(const crypto::campaign_key& key, std::string_view ref, const v1::Recipient& recipient) {
    return crypto::seal(key, recipient.SerializeAsString(), place("recipient", ref));
}
base::result<v1::Recipient> open_recipient(const crypto::campaign_key& key, std::string_view ref,
                                           std::string_view sealed) {
    return open_as<v1::Recipient>(key, sealed, place("recipient", ref));
}

} // namespace semel::wire
