#include "services/cli/draw/request_flags.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <sstream>

#include "common/base/hash.h"
#include "common/base/number.h"
#include "common/base/user_file.h"
#include "common/base/utf8.h"
#include "common/job/types.h"
#include "common/picture/describe.h"
#include "common/picture/flags.h"
#include "common/rpc/picture_convert.h"
#include "common/rpc/spec_convert.h"
#include "services/cli/draw/from_picture.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxPromptsFile = 16 << 20;
constexpr size_t kMaxPrompts = 1000;
constexpr double kMaxDeadline = 366 * 24 * 3600;  // seconds

Status CheckText(const std::string& where, const std::string& text) {
  if (IsUtf8Text(text)) return OkStatus();
  return InvalidArgument(where + " " + kUtf8Rule);
}

// A prompt on each line that is not empty.
Status AddPromptsOf(const std::string& path, std::vector<std::string>* prompts) {
  ASSIGN_OR_RETURN(const std::string text, ReadUserText(path, kMaxPromptsFile));
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    RETURN_IF_ERROR(CheckText("line " + std::to_string(number) + " of " + path, line));
    prompts->push_back(line);
  }
  return OkStatus();
}

// `begun`: what the prompt is where none is given; null: nothing.
StatusOr<std::vector<std::string>> AllPrompts(const RequestFlags& flags, const std::string* begun) {
  std::vector<std::string> prompts = flags.prompts;
  for (const std::string& prompt : prompts) RETURN_IF_ERROR(CheckText("prompt", prompt));
  if (!flags.prompts_file.empty()) RETURN_IF_ERROR(AddPromptsOf(flags.prompts_file, &prompts));
  if (prompts.empty() && begun != nullptr) prompts.push_back(*begun);
  if (prompts.empty()) return InvalidArgument("give a prompt, --prompts-file or --from-png");
  if (prompts.size() > kMaxPrompts) {
    return InvalidArgument(std::to_string(prompts.size()) + " prompts; at most " +
                           std::to_string(kMaxPrompts) + " go into one call");
  }
  return prompts;
}

// What a message of the request can't hold would fail on its way, without a word about the field.
Status CheckValues(const RequestFlags& flags) {
  for (const picture::Description& one : picture::Describe(flags.asked.values(), {})) {
    if (one.type == "text") RETURN_IF_ERROR(CheckText(one.flag, one.fallback));
  }
  RETURN_IF_ERROR(CheckText("--model", flags.model));
  RETURN_IF_ERROR(CheckText("--key", flags.key));
  // As requests carry it.
  constexpr uint64_t kMaxSeed = std::numeric_limits<int64_t>::max();
  const auto seed = ParseUnsigned(std::to_string(flags.asked.values().seed), 0, kMaxSeed);
  return seed.ok() ? OkStatus() : Annotate(seed.status(), "--seed");
}

StatusOr<v1::Priority> ParsePriority(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (const auto priority = job::ParsePriority(text)) return rpc::ToProto(*priority);
  return InvalidArgument("--priority must be low, normal, high or urgent, got '" + text + "'");
}

}  // namespace

void AddRequestFlags(flags::Command& command, RequestFlags* flags) {
  command.Texts("prompt", &flags->prompts, "what to draw; several make several jobs");
  command.Text("--prompts-file", &flags->prompts_file,
               "a prompt on each line; - is standard input");
  command.Text("--from-png", &flags->from_png,
               "ask again for what this picture says of itself; other flags go before it");
  picture::AddFlags(command, &flags->asked, {"prompt"});
  command.Text("--model", &flags->model, "default: the only one, or the gateway's default");
  command.Text("--priority", &flags->priority, "low, normal, high or urgent");
  command.Number("--deadline", &flags->deadline_seconds, "not started by then: expired; seconds", 0,
                 kMaxDeadline);
  command.Text("--strategy", &flags->strategy,
               "how its worker shares memory, e.g. CPU_OFFLOAD; FP8_OPTIMIZED and NF4_QUANTIZED "
               "change the picture, others do not");
  command.Flag("--allow-degradation", &flags->allow_degradation,
               "rather a smaller picture than none, if memory does not suffice");
  command.Text("--key", &flags->key,
               "idempotency key: the same again names the same job; default: random");
}

StatusOr<std::vector<v1::GenerateRequest>> MakeRequests(const RequestFlags& flags) {
  picture::Asked asked;
  std::string model = flags.model, strategy_name = flags.strategy;
  if (!flags.from_png.empty()) {
    ASSIGN_OR_RETURN(const DrawnPicture source, ReadPicture(flags.from_png));
    asked = AskedOf(source.info);
    if (model.empty()) model = source.info.model;
    if (strategy_name.empty()) strategy_name = source.info.weights;
  }
  const std::string begun = asked.values().prompt;
  ASSIGN_OR_RETURN(const std::vector<std::string> prompts,
                   AllPrompts(flags, flags.from_png.empty() ? nullptr : &begun));
  RETURN_IF_ERROR(CheckValues(flags));
  asked.Override(flags.asked);
  v1::GenerateRequest request = rpc::RequestOf(asked);
  ASSIGN_OR_RETURN(const v1::Priority priority, ParsePriority(flags.priority));
  request.set_priority(priority);
  request.set_model(model);
  const auto strategy = rpc::StrategyOf(strategy_name);
  if (!strategy.ok()) return InvalidArgument("--strategy " + Message(strategy.status()));
  if (!strategy_name.empty()) request.set_strategy(*strategy);
  request.set_allow_degradation(flags.allow_degradation);
  if (flags.deadline_seconds > 0) {
    request.set_deadline_in_ms(static_cast<int64_t>(flags.deadline_seconds * 1000));
  }
  const std::string key = flags.key.empty() ? RandomToken() : flags.key;
  std::vector<v1::GenerateRequest> requests;
  for (const std::string& prompt : prompts) {
    request.set_prompt(prompt);
    request.set_idempotency_key(
        prompts.size() == 1 ? key : key + "-" + std::to_string(requests.size() + 1));
    requests.push_back(request);
  }
  return requests;
}

}  // namespace phasor::cli
