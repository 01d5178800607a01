#include "common/rpc/result_convert.h"

#include "phasor/v1/job_spec.pb.h"

namespace phasor::rpc {

std::string EncodeDetails(const v1::Result& result, const std::string& fingerprint) {
  v1::ResultDetails details;
  details.set_request_fingerprint(fingerprint);
  *details.mutable_result() = result;
  details.mutable_result()->clear_images();
  return details.SerializeAsString();
}

std::string FingerprintOf(const storage::TerminalRecord& record) {
  v1::ResultDetails details;
  return details.ParseFromString(record.details) ? details.request_fingerprint() : "";
}

v1::Result ResultOf(const storage::TerminalRecord& record) {
  v1::ResultDetails details;
  if (!details.ParseFromString(record.details)) details.Clear();
  v1::Result result = details.result();
  result.clear_images();
  if (result.worker().empty()) result.set_worker(record.worker);
  for (size_t i = 0; i < record.images.size(); ++i) {
    const storage::ResultImage& image = record.images[i];
    v1::ImageResult* shown = result.add_images();
    shown->set_index(static_cast<int32_t>(i));
    shown->set_seed(static_cast<int64_t>(image.seed));
    shown->set_sha256(image.sha256);
    shown->set_width(image.width);
    shown->set_height(image.height);
    shown->set_size_bytes(static_cast<int64_t>(image.bytes));
    shown->set_format(v1::PNG);
  }
  return result;
}

}  // namespace phasor::rpc
