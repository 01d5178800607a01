#include "common/storage/s3/s3_reply.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "common/storage/s3/xml.h"

namespace phasor::storage {
namespace {

constexpr size_t kMaxWords = 300;

struct ServerError {
  std::string code;
  std::string message;
};

ServerError ReadError(const std::string& body) {
  const StatusOr<XmlElement> parsed = ParseXml(body);
  if (!parsed.ok() || parsed->name != "Error") return {};
  return {parsed->ChildText("Code").substr(0, kMaxWords),
          parsed->ChildText("Message").substr(0, kMaxWords)};
}

bool IsFull(int status, const std::string& code) {
  // InsufficientStorage and its like, by the names that servers give them.
  static constexpr std::array kCodes = {"EntityTooLarge",      "QuotaExceeded",
                                        "InsufficientStorage", "InsufficientCapacity",
                                        "XMinioStorageFull",   "XMinioAdminBucketQuotaExceeded"};
  return status == 507 || status == 413 ||
         std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

Status StatusOfReply(const HttpReply& reply) {
  const ServerError error = ReadError(reply.body);
  std::string words = "the S3 server answered " + std::to_string(reply.status);
  if (!error.code.empty()) words += " " + error.code;
  if (!error.message.empty()) words += ": " + error.message;
  if (reply.status == 404 && error.code == "NoSuchKey") return NotFound(words);
  if (IsFull(reply.status, error.code)) return ResourceExhausted(words);
  return Unavailable(words);
}

int64_t ParseTime(const std::string& text) {
  std::tm time{};
  int millis = 0;
  char zone = 0;
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &millis, &zone);
  if (fields == 6) {  // without a fraction
    if (text.size() != 20 || text.back() != 'Z') return -1;
    millis = 0;
  } else if (fields != 8 || zone != 'Z') {
    return -1;
  }
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  return static_cast<int64_t>(::timegm(&time)) * 1000 + millis;
}

StatusOr<ListPage> ReadListing(const std::string& body, const std::string& root) {
  const StatusOr<XmlElement> parsed = ParseXml(body);
  if (!parsed.ok()) return Unavailable("the S3 server's listing: " + Message(parsed.status()));
  if (parsed->name != "ListBucketResult") {
    return Unavailable("the S3 server answered '" + parsed->name.substr(0, 40) +
                       "' in place of a listing");
  }
  ListPage page;
  for (const XmlElement& element : parsed->children) {
    if (element.name != "Contents") continue;
    std::string key = element.ChildText("Key");
    if (key.compare(0, root.size(), root) != 0) continue;
    key.erase(0, root.size());
    if (!IsLegalKey(key)) continue;
    const int64_t modified = ParseTime(element.ChildText("LastModified"));
    if (modified < 0) return Unavailable("the S3 server's listing gives no time of " + key);
    page.objects.push_back({std::move(key), modified});
  }
  if (parsed->ChildText("IsTruncated") == "true") {
    page.next = parsed->ChildText("NextContinuationToken");
    if (page.next.empty()) return Unavailable("the S3 server's listing breaks off");
  }
  return page;
}

}  // namespace phasor::storage
