#include "services/cli/commands/doctor_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/byte_size.h"
#include "common/config/model_folder.h"
#include "engine/cuda/driver.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/cuda/nvml.h"
#include "engine/memory/presets.h"
#include "services/cli/commands/local_engine.h"
#include "services/cli/commands/machine.h"

namespace phasor::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kHost[] = "cpu";

struct DoctorFlags {
  std::string models = "models";
  std::vector<std::string> cards = {"2GiB", "4GiB", "8GiB", "24GiB"};
  std::string program;
};

struct PlanFlags {
  std::string model;
  std::string models = "models";
  std::string device;
  std::string vram;
  std::string strategy;
  int width = 0;
  int height = 0;
  std::string program;
};

std::string ProgramOf(const std::string& given) {
  return given.empty() ? LocalEngine::DefaultProgram() : given;
}

// "CPU_OFFLOAD, 3.37GiB", or why not.
Json PlanOn(const LocalEngine& engine, const std::string& card) {
  std::vector<std::string> flags = {"--json"};
  if (card != kHost) flags.insert(flags.end(), {"--device=sim", "--vram=" + card});
  const auto plan = engine.PlanOf(flags);
  if (!plan.ok()) return {{"device", card}, {"error", Message(plan.status())}};
  const size_t begin = plan->text.find('{');
  const size_t end = plan->text.find('\n', begin == std::string::npos ? 0 : begin);
  const Json told =
      Json::parse(begin == std::string::npos ? "" : plan->text.substr(begin, end - begin), nullptr,
                  /*allow_exceptions=*/false);
  if (!told.is_object() || !told.contains("peak_bytes")) {
    return {{"device", card}, {"error", "phasor-render's plan can't be read"}};
  }
  return {{"device", card},
          {"fits", plan->fits},
          {"strategy", told["strategy"]},
          {"cuts", told.value("cuts", "")},
          {"peak_bytes", told["peak_bytes"]}};
}

// NVIDIA's, as the driver and its management library tell, and why there are none or none of use.
void AddCards(Json* report) {
  uint64_t largest = 0;
  (*report)["cards"] = Json::array();
  (*report)["preset"] = engine::PresetFor(0).name;
  const auto driver = engine::AskDriver();
  const Status right = driver.ok() ? engine::CheckDriver(*driver) : driver.status();
  (*report)["no_cards"] = Message(right);
  if (!right.ok()) return;
  if (driver->gpus.empty()) (*report)["no_cards"] = "the NVIDIA driver shows no card";
  for (const engine::Gpu& gpu : driver->gpus) {
    Json card = {{"device", "cuda:" + std::to_string(gpu.index)},
                 {"name", gpu.name},
                 {"capability", engine::CapabilityText(gpu)},
                 {"memory_bytes", gpu.memory_bytes},
                 {"driver", driver->driver},
                 {"dtype", engine::ChooseDtype("auto", gpu).value_or("")}};
    const auto watch = engine::GpuWatch::Make(gpu);
    if (watch.ok()) {
      const engine::GpuHealth health = (*watch)->Look();
      card["used_bytes"] = health.memory_used_bytes;
      card["utilization_percent"] = health.utilization_percent;
      card["temperature_celsius"] = health.temperature_celsius;
      card["uncorrected_ecc_errors"] = health.uncorrected_ecc_errors;
      card["power_watts"] = health.power_watts;
      card["mig"] = health.mig;
    }
    (*report)["devices"].push_back(card["device"]);
    (*report)["cards"].push_back(std::move(card));
    largest = std::max(largest, gpu.memory_bytes);
  }
  (*report)["preset"] = engine::PresetFor(largest).name;
}

// What NVML does not tell is negative.
std::string HealthText(const Json& card) {
  std::string text = ", " + ByteSizeText(card["used_bytes"]) + " used";
  const std::pair<const char*, const char*> figures[] = {
      {"utilization_percent", " % busy"},
      {"temperature_celsius", " degrees"},
      {"power_watts", " W"},
      {"uncorrected_ecc_errors", " uncorrected ECC errors"}};
  for (const auto& [key, unit] : figures) {
    const double figure = card[key];
    if (figure < 0) continue;
    text.append(", ").append(std::to_string(std::llround(figure))).append(unit);
  }
  return text + (card["mig"].get<bool>() ? ", in parts (MIG)" : "");
}

std::string CardText(const Json& card) {
  std::string text = "card       " + card["device"].get<std::string>() + ", " +
                     card["name"].get<std::string>() + ", " + ByteSizeText(card["memory_bytes"]) +
                     ", capability " + card["capability"].get<std::string>() + ", " +
                     card["dtype"].get<std::string>();
  const std::string driver = card["driver"];
  if (!driver.empty()) text += ", driver " + driver;
  if (card.contains("used_bytes")) text += HealthText(card);
  return text + "\n";
}

Json Examine(const DoctorFlags& flags) {
  const Machine machine = ReadMachine();
  Json report = {{"processor", machine.processor},
                 {"cores", machine.cores},
                 {"memory_bytes", machine.memory_bytes},
                 {"free_bytes", machine.free_bytes},
                 {"instruction_sets", machine.instruction_sets},
                 {"devices", {"cpu", "sim"}},
                 {"models", Json::array()},
                 {"left_out", Json::array()}};
  AddCards(&report);
  const auto folder = config::ReadModelFolder(flags.models);
  if (!folder.ok()) {
    report["left_out"].push_back(Message(folder.status()));
    return report;
  }
  for (const std::string& reason : folder->left_out) report["left_out"].push_back(reason);
  for (const config::ModelCard& card : folder->cards) {
    const LocalEngine engine(ProgramOf(flags.program), card.directory);
    Json plans = Json::array({PlanOn(engine, kHost)});
    for (const std::string& size : flags.cards) plans.push_back(PlanOn(engine, size));
    report["models"].push_back({{"model", card.name},
                                {"width", card.defaults.width},
                                {"height", card.defaults.height},
                                {"plans", plans}});
  }
  return report;
}

std::string TextOf(const Json& report) {
  std::string text = "processor  " + report["processor"].get<std::string>() + ", " +
                     std::to_string(report["cores"].get<int>()) + " cores\n";
  text += "memory     " + ByteSizeText(report["memory_bytes"]) + ", " +
          ByteSizeText(report["free_bytes"]) + " free\nkernels    ";
  for (const Json& set : report["instruction_sets"]) text += set.get<std::string>() + " ";
  text += "\ndevices    ";
  for (const Json& device : report["devices"]) {
    text += (text.ends_with(' ') ? "" : ", ") + device.get<std::string>();
  }
  text += "\n";
  for (const Json& card : report["cards"]) text += CardText(card);
  const std::string none = report["no_cards"];
  if (!none.empty()) text += "cards      none: " + none + "\n";
  text += "preset     " + report["preset"].get<std::string>() + "\n";
  for (const Json& model : report["models"]) {
    text += "model      " + model["model"].get<std::string>() + ", " +
            std::to_string(model["width"].get<int>()) + "x" +
            std::to_string(model["height"].get<int>()) + "\n";
    for (const Json& plan : model["plans"]) {
      const std::string device = plan["device"];
      text += "  " + device + std::string(9 - std::min<size_t>(8, device.size()), ' ');
      if (plan.contains("error")) {
        text += plan["error"].get<std::string>() + "\n";
        continue;
      }
      text += plan["fits"].get<bool>() ? "" : "does not fit: ";
      text += plan["strategy"].get<std::string>() + ", " + ByteSizeText(plan["peak_bytes"]);
      const std::string cuts = plan["cuts"];
      text += cuts.empty() ? "\n" : ", " + cuts + "\n";
    }
  }
  for (const Json& reason : report["left_out"]) {
    text += "left out   " + reason.get<std::string>() + "\n";
  }
  return text;
}

ExitCode Doctor(Session& session, const DoctorFlags& flags) {
  const Json report = Examine(flags);
  session.out << (session.json ? report.dump() + "\n" : TextOf(report)) << std::flush;
  return report["models"].empty() ? kFailed : kOk;
}

// A directory as it is, or the name of a model below the folder of models.
StatusOr<std::string> DirectoryOf(const PlanFlags& flags) {
  std::error_code error;
  if (std::filesystem::is_directory(flags.model, error)) return flags.model;
  ASSIGN_OR_RETURN(const config::ModelFolder folder, config::ReadModelFolder(flags.models));
  std::string names;
  for (const config::ModelCard& card : folder.cards) {
    if (card.name == flags.model) return card.directory;
    names += names.empty() ? "" : ", ";
    names += card.name;
  }
  return NotFound("there is no directory or model " + flags.model + "; there are: " + names);
}

ExitCode Plan(Session& session, const PlanFlags& flags) {
  const auto directory = DirectoryOf(flags);
  if (!directory.ok()) return session.Report(directory.status());
  std::vector<std::string> words;
  const std::pair<const char*, std::string> given[] = {
      {"--device=", flags.device},
      {"--vram=", flags.vram},
      {"--strategy=", flags.strategy},
      {"--width=", flags.width > 0 ? std::to_string(flags.width) : ""},
      {"--height=", flags.height > 0 ? std::to_string(flags.height) : ""}};
  for (const auto& [flag, value] : given) {
    if (!value.empty()) words.push_back(flag + value);
  }
  if (session.json) words.emplace_back("--json");
  const auto plan = LocalEngine(ProgramOf(flags.program), *directory).PlanOf(words);
  if (!plan.ok()) return session.Report(plan.status());
  session.out << plan->text << std::flush;
  return plan->fits ? kOk : kFailed;
}

}  // namespace

void AddDoctor(flags::Command& line, Session& session, int* exit_code) {
  auto flags = std::make_shared<DoctorFlags>();
  flags::Command& doctor =
      line.AddCommand("doctor", "what this machine has, and how each model would be drawn on it");
  doctor.Text("--models", &flags->models, "a model's directory, or a folder of them")
      .FromVariable("PHASOR_MODELS");
  doctor.List("--cards", &flags->cards, "sizes of cards to plan for, besides this machine");
  doctor.Text("--render", &flags->program, "phasor-render; default: beside this program");
  doctor.Runs([&session, flags, exit_code] { *exit_code = Doctor(session, *flags); });
}

void AddPlan(flags::Command& models, Session& session, int* exit_code) {
  auto flags = std::make_shared<PlanFlags>();
  flags::Command& plan =
      models.AddCommand("plan", "what a picture would take here under each strategy");
  plan.Text("model", &flags->model, "its directory, or its name below --models").Required();
  plan.Text("--models", &flags->models, "a folder of models").FromVariable("PHASOR_MODELS");
  plan.Text("--device", &flags->device, "cpu; sim: a card, simulated; cuda:N; auto");
  plan.Text("--vram", &flags->vram, "memory of the simulated card, e.g. 4GiB");
  plan.Text("--strategy", &flags->strategy, "whose placements are shown; default: AUTO's");
  plan.Whole("--width", &flags->width, "pixels; default: the model card's");
  plan.Whole("--height", &flags->height, "pixels; default: the model card's");
  plan.Text("--render", &flags->program, "phasor-render; default: beside this program");
  plan.Runs([&session, flags, exit_code] { *exit_code = Plan(session, *flags); });
}

}  // namespace phasor::cli
