#include "common/storage/store_url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "common/base/percent.h"

namespace phasor::storage {
namespace {

using Parameters = std::map<std::string, std::string>;

Status Wrong(const std::string& what) { return InvalidArgument("store URL: " + what); }

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// Takes "?a=1&b=2" off the end of `url`.
StatusOr<Parameters> TakeParameters(std::string* url, const std::vector<std::string>& known) {
  Parameters parameters;
  const size_t mark = url->find('?');
  if (mark == std::string::npos) return parameters;
  std::string rest = url->substr(mark + 1);
  url->resize(mark);
  while (!rest.empty()) {
    const std::string pair = rest.substr(0, rest.find('&'));
    rest.erase(0, pair.size() + 1);
    const size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string names;
      for (const std::string& one : known) names += (names.empty() ? "" : ", ") + one;
      return Wrong("unknown parameter '" + name + "'; known are " + names);
    }
    if (equals == std::string::npos) return Wrong(name + " has no value");
    auto value = PercentDecode(pair.substr(equals + 1));
    if (!value.ok()) return Wrong(name + ": " + Message(value.status()));
    if (!parameters.emplace(name, *std::move(value)).second) return Wrong(name + " stands twice");
  }
  return parameters;
}

struct Unit {
  const char* name;
  int64_t factor;
};

// "72h": a whole number and a unit; `zero`: "0" without one is allowed.
StatusOr<int64_t> ParseQuantity(const std::string& name, const std::string& text,
                                const std::vector<Unit>& units, bool zero) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(digits);
  if (zero && text == "0") return 0;
  for (const Unit& known : units) {
    if (unit != known.name || digits == 0 || digits > 9) continue;
    const int64_t number = std::stoll(text.substr(0, digits));
    if (number > std::numeric_limits<int64_t>::max() / known.factor) break;
    if (number > 0) return number * known.factor;
  }
  std::string names;
  for (const Unit& known : units) names += std::string(names.empty() ? "" : ", ") + known.name;
  return Wrong(name + " must be a whole number above 0 with a unit (" + names + "), got '" + text +
               "'");
}

Status TakeTime(const Parameters& parameters, const std::string& name, bool zero, Millis* time) {
  static const std::vector<Unit> kUnits = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto found = parameters.find(name);
  if (found == parameters.end()) return OkStatus();
  ASSIGN_OR_RETURN(const int64_t millis, ParseQuantity(name, found->second, kUnits, zero));
  *time = Millis(millis);
  return OkStatus();
}

Status TakeSize(const Parameters& parameters, const std::string& name, size_t* size) {
  static const std::vector<Unit> kUnits = {
      {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", int64_t{1} << 30}};
  const auto found = parameters.find(name);
  if (found == parameters.end()) return OkStatus();
  ASSIGN_OR_RETURN(const int64_t bytes, ParseQuantity(name, found->second, kUnits, false));
  // Redis takes no larger value, and a blob is held in memory.
  if (bytes > int64_t{512} << 20) return Wrong(name + " must be at most 512MiB");
  *size = static_cast<size_t>(bytes);
  return OkStatus();
}

StatusOr<StoreAddress> ParseFile(const std::string& url) {
  const std::string path = url.substr(std::string("file://").size());
  if (path.empty() || path.front() != '/') {
    return Wrong("file:// needs an absolute path and no host, as in file:///var/lib/phasor");
  }
  auto root = PercentDecode(path);
  if (!root.ok()) return Wrong("path: " + Message(root.status()));
  return FsStoreOptions{.root = *std::move(root)};
}

StatusOr<StoreAddress> ParseRedis(std::string url) {
  const bool socket = StartsWith(url, "unix://");
  std::vector<std::string> known = {"ttl", "record_ttl", "max_blob"};
  if (socket) known.push_back("db");
  if (url.find("-sentinel://") != std::string::npos) known.push_back("master");
  ASSIGN_OR_RETURN(const Parameters parameters, TakeParameters(&url, known));
  for (const char* name : {"db", "master"}) {
    const auto given = parameters.find(name);
    if (given != parameters.end()) url += "?" + given->first + "=" + PercentEncode(given->second);
  }
  StatusOr<redis::RedisAddress> address = redis::ParseRedisUrl(url);
  if (!address.ok()) return Annotate(address.status(), "store URL");
  RedisStoreOptions options{.redis = {.address = *std::move(address), .prefix = kRedisStorePrefix}};
  RETURN_IF_ERROR(TakeTime(parameters, "ttl", true, &options.blob_ttl));
  RETURN_IF_ERROR(TakeTime(parameters, "record_ttl", true, &options.record_ttl));
  RETURN_IF_ERROR(TakeSize(parameters, "max_blob", &options.max_blob_bytes));
  // A longer life for the blobs alone prolongs the record's.
  if (parameters.count("record_ttl") == 0) {
    const bool for_ever = options.blob_ttl.count() == 0;
    options.record_ttl = for_ever ? Millis(0) : std::max(options.record_ttl, options.blob_ttl);
  }
  return options;
}

bool IsBucketName(const std::string& name) {
  return name.size() >= 3 && name.size() <= 63 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos &&
         name.front() != '.' && name.front() != '-' && name.back() != '.' && name.back() != '-';
}

Status CheckEndpoint(const std::string& endpoint) {
  const size_t scheme = endpoint.find("://");
  const std::string host = scheme == std::string::npos ? "" : endpoint.substr(scheme + 3);
  const bool known = StartsWith(endpoint, "http://") || StartsWith(endpoint, "https://");
  if (known && host.find('@') != std::string::npos) {
    return Wrong("endpoint: credentials come from the environment, never from the URL");
  }
  constexpr char kLegal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
  if (!known || host.empty() || host.find_first_not_of(kLegal) != std::string::npos) {
    return Wrong("endpoint must be http:// or https:// with a host and perhaps a port, got '" +
                 endpoint + "'");
  }
  return OkStatus();
}

Status CheckRegion(const std::string& region) {
  constexpr char kLegal[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (!region.empty() && region.size() <= 40 &&
      region.find_first_not_of(kLegal) == std::string::npos) {
    return OkStatus();
  }
  return Wrong("region must be lower-case letters, digits and '-', got '" + region + "'");
}

StatusOr<StoreAddress> ParseS3(std::string url, const std::string& default_region) {
  S3Address address;
  ASSIGN_OR_RETURN(const Parameters parameters,
                   TakeParameters(&url, {"endpoint", "region", "timeout"}));
  std::string place = url.substr(std::string("s3://").size());
  if (place.find('@') != std::string::npos) {
    return Wrong(
        "credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), never "
        "from the URL");
  }
  if (!place.empty() && place.back() == '/') place.pop_back();
  const size_t slash = place.find('/');
  address.store.bucket = place.substr(0, slash);
  if (slash != std::string::npos) address.store.prefix = place.substr(slash + 1);
  if (!IsBucketName(address.store.bucket)) {
    return Wrong("the bucket must be 3 to 63 lower-case letters, digits, '.' and '-', got '" +
                 address.store.bucket + "'");
  }
  if (slash != std::string::npos && !IsLegalKey(address.store.prefix)) {
    return Wrong("the prefix '" + address.store.prefix + "' is no legal key");
  }
  const auto region = parameters.find("region");
  address.transport.region = region == parameters.end() ? default_region : region->second;
  RETURN_IF_ERROR(CheckRegion(address.transport.region));
  const auto endpoint = parameters.find("endpoint");
  address.transport.endpoint = endpoint == parameters.end()
                                   ? "https://s3." + address.transport.region + ".amazonaws.com"
                                   : endpoint->second;
  if (address.transport.endpoint.back() == '/') address.transport.endpoint.pop_back();
  RETURN_IF_ERROR(CheckEndpoint(address.transport.endpoint));
  RETURN_IF_ERROR(TakeTime(parameters, "timeout", false, &address.transport.request_timeout));
  return address;
}

}  // namespace

StatusOr<StoreAddress> ParseStoreUrl(const std::string& url, const std::string& default_region) {
  if (url.empty()) return Wrong("it is empty");
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return FsStoreOptions{.root = url};
  if (StartsWith(url, "file://")) return ParseFile(url);
  for (const char* redis :
       {"redis://", "rediss://", "redis-sentinel://", "rediss-sentinel://", "unix://"}) {
    if (StartsWith(url, redis)) return ParseRedis(url);
  }
  if (StartsWith(url, "s3://")) return ParseS3(url, default_region);
  return Wrong(
      "unknown scheme '" + url.substr(0, std::min<size_t>(scheme, 20)) +
      "'; known are a path, file, redis, rediss, redis-sentinel, rediss-sentinel, unix and s3");
}

}  // namespace phasor::storage
