#include "common/rpc/spec_pack.h"

#include <zlib.h>

#include <algorithm>

namespace phasor::rpc {
namespace {

// First byte of what PackSpec makes, which begins no phasor.v1.JobSpec: field 31, wire type 7.
constexpr char kFormat = static_cast<char>(0xff);
// Deflate stores as it is what it can't shorten.
constexpr char kMask = static_cast<char>(0xa5);
// Specs are short: a small window costs little memory and no length. Negative: without a header.
constexpr int kWindowBits = -12;
constexpr int kMemoryLevel = 5;

// Below, deflate takes 7 us to save nothing: a short prompt's spec, of 130 bytes, stays 130.
constexpr size_t kWorthDeflating = 512;

// One block that is stored as it is (RFC 1951, 3.2.4).
std::string Stored(const std::string& bytes) {
  const auto size = static_cast<unsigned>(bytes.size());
  std::string stored(1, kFormat);
  stored.reserve(6 + bytes.size());
  stored += '\1';  // the last block, of type 0
  for (const unsigned number : {size, ~size}) {
    stored += static_cast<char>(number & 0xff);
    stored += static_cast<char>(number >> 8 & 0xff);
  }
  return stored += bytes;
}

void Mask(std::string* bytes) {
  for (char& c : *bytes) c = static_cast<char>(c ^ kMask);
}

}  // namespace

std::string PackSpec(std::string plain) {
  Mask(&plain);
  if (plain.size() < kWorthDeflating) return Stored(plain);
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel,
               Z_DEFAULT_STRATEGY);
  std::string packed(1 + deflateBound(&stream, plain.size()), kFormat);
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data() + 1);
  stream.avail_out = static_cast<uInt>(packed.size() - 1);
  deflate(&stream, Z_FINISH);  // into the bound it always fits
  packed.resize(1 + stream.total_out);
  deflateEnd(&stream);
  return packed;
}

StatusOr<std::string> UnpackSpec(std::string_view packed) {
  if (packed.empty() || packed.front() != kFormat || packed.size() > kMaxSpecBytes) {
    return InvalidArgument("the job's spec is not in a form that this version reads");
  }
  packed.remove_prefix(1);
  z_stream stream{};
  inflateInit2(&stream, kWindowBits);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  int result = Z_OK;
  while (result == Z_OK && plain.size() < kMaxSpecBytes) {
    const size_t before = plain.size();
    plain.resize(std::min(kMaxSpecBytes, std::max<size_t>(1024, 4 * before)));
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + before);
    stream.avail_out = static_cast<uInt>(plain.size() - before);
    result = inflate(&stream, Z_NO_FLUSH);
  }
  plain.resize(stream.total_out);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) return InvalidArgument("the job's spec is damaged or over 4 MiB");
  Mask(&plain);
  return plain;
}

}  // namespace phasor::rpc
