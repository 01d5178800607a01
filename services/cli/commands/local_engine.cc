#include "services/cli/commands/local_engine.h"

#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "common/base/user_file.h"
#include "common/picture/describe.h"
#include "services/cli/up/child_process.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxLog = 1 << 20;
constexpr size_t kMaxPicture = size_t{1} << 30;

// A folder of its own that is gone when the scope ends; empty: it could not be made.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    path_ = std::filesystem::temp_directory_path(error) / "phasor-draw-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> FlagsOf(const picture::Asked& asked) {
  std::vector<std::string> flags;
  for (const picture::Description& one : picture::Describe(asked.values(), {})) {
    if (one.flag.empty() || !asked.Has(one.name)) continue;
    const std::string value = picture::TextOf(*picture::FindParameter(one.name), asked.values());
    // A text may begin with dashes, and an empty one can't stand behind "=".
    if (value.empty()) {
      flags.insert(flags.end(), {one.flag, value});
    } else {
      flags.push_back(one.flag + "=" + value);
    }
  }
  return flags;
}

// Its exit code, or 128 and the signal.
int Wait(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What phasor-render says when it does not do what it was asked for.
Status Failed(int code, const std::string& said) {
  constexpr int kBadArguments = 2;
  return MakeStatus(code == kBadArguments ? StatusCode::kInvalidArgument : StatusCode::kUnknown,
                    "phasor-render: exit code " + std::to_string(code) + ": " + said);
}

}  // namespace

std::string LocalEngine::DefaultProgram() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "phasor-render";
}

StatusOr<LocalEngine::Plan> LocalEngine::PlanOf(const std::vector<std::string>& flags) const {
  const ScratchFolder scratch;
  if (scratch.path().empty()) {
    return MakeStatus(StatusCode::kUnknown, "no folder for the plan can be made");
  }
  const std::string log = scratch.path() + "/log";
  std::vector<std::string> words = {program_, "--model=" + model_, "--plan"};
  words.insert(words.end(), flags.begin(), flags.end());
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(words, log));
  const int code = Wait(pid);
  const std::string said = ReadUserText(log, kMaxLog).value_or("");
  constexpr int kDoesNotFit = 4;
  if (code != 0 && code != kDoesNotFit) return Failed(code, said);
  return Plan{said, code == 0};
}

StatusOr<std::string> LocalEngine::Draw(const picture::Asked& asked,
                                        const std::string& strategy) const {
  const ScratchFolder scratch;
  const std::string& folder = scratch.path();
  if (folder.empty()) {
    return MakeStatus(StatusCode::kUnknown, "no folder for the picture can be made");
  }
  const std::string picture = folder + "/picture.png", log = folder + "/log";
  std::vector<std::string> words = {program_, "--model=" + model_, "--output=" + picture,
                                    "--progress=none"};
  if (!strategy.empty()) words.push_back("--strategy=" + strategy);
  for (std::string& flag : FlagsOf(asked)) words.push_back(std::move(flag));
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(words, log));
  if (const int code = Wait(pid); code != 0) {
    return Failed(code, ReadUserText(log, kMaxLog).value_or(""));
  }
  return ReadUserBytes(picture, kMaxPicture);
}

}  // namespace phasor::cli
