#pragma once
// From a stored file to a wave: where it lies, and the order that intake carries out.

#include <semel/v1/artifact.pb.h>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

std::filesystem::path upload_path(const std::filesystem::path& data_dir, const std::string& campaign,
                                  std::uint32_t number);
v1::ImportOrder import_order(const v1::Campaign&, const v1::NoticeSource&, std::uint32_t number,
                             const std::string& format, const std::string& digest);
void enqueue_import(pqxx::work&, const v1::ImportOrder&, std::int32_t order_partitions);

} // namespace semel::api
