#include "services/cli/draw/request_flags.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "common/base/hash.h"
#include "common/base/user_file.h"
#include "common/base/utf8.h"
#include "common/job/generate_spec.h"
#include "common/job/types.h"
#include "common/rpc/spec_convert.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxPromptsFile = 16 << 20;
constexpr size_t kMaxPrompts = 1000;
constexpr double kMaxDeadline = 366 * 24 * 3600;  // seconds

Status CheckText(const std::string& where, const std::string& text) {
  if (IsUtf8Text(text)) return OkStatus();
  return InvalidArgument(where + " must be UTF-8 without NUL characters");
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

StatusOr<std::vector<std::string>> AllPrompts(const RequestFlags& flags) {
  std::vector<std::string> prompts = flags.prompts;
  for (const std::string& prompt : prompts) RETURN_IF_ERROR(CheckText("prompt", prompt));
  if (!flags.prompts_file.empty()) RETURN_IF_ERROR(AddPromptsOf(flags.prompts_file, &prompts));
  if (prompts.empty()) return InvalidArgument("give a prompt, or --prompts-file");
  if (prompts.size() > kMaxPrompts) {
    return InvalidArgument(std::to_string(prompts.size()) + " prompts; at most " +
                           std::to_string(kMaxPrompts) + " go into one call");
  }
  return prompts;
}

// What a message of the request can't hold would fail on its way, without a word about the field.
Status CheckTexts(const RequestFlags& flags) {
  RETURN_IF_ERROR(CheckText("--negative", flags.negative));
  RETURN_IF_ERROR(CheckText("--model", flags.model));
  RETURN_IF_ERROR(CheckText("--scheduler", flags.scheduler));
  return CheckText("--key", flags.key);
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
  command.Text("--negative", &flags->negative, "what not to draw");
  command.Text("--model", &flags->model, "default: the only one, or the gateway's default");
  command.Whole("--width", &flags->width, "pixels");
  command.Whole("--height", &flags->height, "pixels");
  command.Whole("--steps", &flags->steps, "denoising steps");
  command.Number("--guidance", &flags->guidance, "classifier-free guidance; on above 1");
  command.Whole("--seed", &flags->seed, "default: drawn, and told", 0);
  command.Whole("--images", &flags->images, "pictures of each prompt");
  command.Text("--scheduler", &flags->scheduler, "e.g. dpmpp_2m_karras; 'phasor models' lists");
  command.Text("--priority", &flags->priority, "low, normal, high or urgent");
  command.Number("--deadline", &flags->deadline_seconds, "not started by then: expired; seconds", 0,
                 kMaxDeadline);
  command.Whole("--clip-skip", &flags->clip_skip, "layers of the text encoder left out");
  command.Number("--guidance-rescale", &flags->guidance_rescale, "0 to 1");
  command.Number("--eta", &flags->eta, "DDIM only, 0 to 1");
  command.Text("--key", &flags->key,
               "idempotency key: the same again names the same job; default: random");
}

StatusOr<std::vector<v1::GenerateRequest>> MakeRequests(const RequestFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<std::string> prompts, AllPrompts(flags));
  RETURN_IF_ERROR(CheckTexts(flags));
  v1::GenerateRequest request;
  ASSIGN_OR_RETURN(const v1::Priority priority, ParsePriority(flags.priority));
  request.set_priority(priority);
  request.set_model(flags.model);
  request.set_negative_prompt(flags.negative);
  if (flags.width) request.set_width(*flags.width);
  if (flags.height) request.set_height(*flags.height);
  if (flags.steps) request.set_steps(*flags.steps);
  if (flags.guidance) request.set_guidance_scale(*flags.guidance);
  if (flags.seed) request.set_seed(*flags.seed);
  if (flags.images) request.set_images(*flags.images);
  request.set_scheduler(flags.scheduler);
  request.set_clip_skip(flags.clip_skip);
  request.set_guidance_rescale(flags.guidance_rescale);
  request.set_eta(flags.eta);
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
