#include "services/gateway/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/utc_text.h"

namespace phasor::gateway {
namespace {

// 2026-01-02T03:04:05.678Z
std::string TimeText(int64_t now_ms) {
  const std::string millis = std::to_string(1000 + now_ms % 1000).substr(1);
  return UtcText(now_ms, "%Y-%m-%dT%H:%M:%S.") + millis + "Z";
}

// A file that lines are added to, opened anew once its name leads elsewhere.
class AppendedFile {
 public:
  explicit AppendedFile(std::string path) : path_(std::move(path)) {}
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;
  ~AppendedFile() {
    if (fd_ >= 0) close(fd_);
  }

  Status Open() {
    if (fd_ >= 0) close(fd_);
    fd_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ >= 0) return OkStatus();
    return FailedPrecondition("can't write the audit log " + path_ + ": " + std::strerror(errno));
  }

  void Add(const std::string& line) {
    if (Moved()) (void)Open();
    if (fd_ >= 0) (void)!write(fd_, line.data(), line.size());
  }

 private:
  bool Moved() const {
    struct stat named {
    }, open{};
    return fd_ < 0 || stat(path_.c_str(), &named) != 0 || fstat(fd_, &open) != 0 ||
           named.st_ino != open.st_ino || named.st_dev != open.st_dev;
  }

  const std::string path_;
  int fd_ = -1;
};

}  // namespace

std::string AuditLine(int64_t now_ms, const AuditEntry& entry) {
  const int64_t at_ms = entry.at_ms != 0 ? entry.at_ms : now_ms;
  nlohmann::ordered_json json = {{"audit", entry.event}, {"time", TimeText(at_ms)}};
  const std::pair<const char*, const std::string&> words[] = {
      {"who", entry.who},       {"tenant", entry.tenant},   {"from", entry.from},
      {"method", entry.method}, {"outcome", entry.outcome}, {"key", entry.key},
      {"name", entry.name},     {"roles", entry.roles}};
  for (const auto& [name, word] : words) {
    if (!word.empty()) json[name] = word;
  }
  return json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

AuditLog::AuditLog(Sink sink, const Clock* clock, const Pace& pace)
    : sink_(std::move(sink)), clock_(clock), pace_(pace) {
  for (Bucket* bucket : {&refusals_, &deeds_}) {
    bucket->tokens = pace.burst;
    bucket->filled = clock->Steady();
  }
}

StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& where, const Clock* clock) {
  if (where == "off") return std::make_unique<AuditLog>([](const std::string&) {}, clock);
  if (where == "stderr") {
    return std::make_unique<AuditLog>(
        [](const std::string& line) { (void)!write(STDERR_FILENO, line.data(), line.size()); },
        clock);
  }
  auto file = std::make_shared<AppendedFile>(where);
  RETURN_IF_ERROR(file->Open());
  return std::make_unique<AuditLog>([file](const std::string& line) { file->Add(line); }, clock);
}

bool AuditLog::Admit(Bucket* bucket, const std::string& event) {
  const SteadyTime now = clock_->Steady();
  const double refill = SecondsBetween(bucket->filled, now) * pace_.per_second;
  bucket->tokens = std::min(pace_.burst, bucket->tokens + refill);
  bucket->filled = now;
  if (bucket->tokens < 1) {
    ++bucket->left_out;
    return false;
  }
  bucket->tokens -= 1;
  if (const int64_t count = std::exchange(bucket->left_out, 0); count > 0) {
    AuditEntry gap;
    gap.event = event;
    gap.outcome = std::to_string(count) + " lines left out";
    sink_(AuditLine(clock_->WallMillis(), gap) + "\n");
  }
  return true;
}

void AuditLog::Write(const AuditEntry& entry) {
  MutexLock lock(&mu_);
  const bool is_refusal = entry.event == "refused" || entry.event == "ended";
  if (!Admit(is_refusal ? &refusals_ : &deeds_, entry.event)) return;
  sink_(AuditLine(clock_->WallMillis(), entry) + "\n");
}

}  // namespace phasor::gateway
