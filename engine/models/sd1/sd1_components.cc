#include "engine/models/sd1/sd1_components.h"

#include <filesystem>
#include <utility>

#include "common/base/file.h"
#include "engine/api/schedulers.h"
#include "engine/schedulers/scheduler.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/weight_store.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr int64_t kLatentChannels = 4;

// "CLIPTextModel" from "text_encoder": ["transformers", "CLIPTextModel"].
StatusOr<std::string> ClassOf(const PipelineSource& source, const std::string& component) {
  const auto entry = source.index.find(component);
  if (entry == source.index.end() || !entry->is_array() || entry->size() != 2 ||
      !(*entry)[1].is_string()) {
    return InvalidArgument(source.directory + "/model_index.json: " + component +
                           ": must be [library, class]");
  }
  return (*entry)[1].get<std::string>();
}

Status RequireClass(const PipelineSource& source, const std::string& component,
                    const std::string& expected) {
  ASSIGN_OR_RETURN(const std::string name, ClassOf(source, component));
  if (name == expected) return OkStatus();
  return InvalidArgument(source.directory + "/model_index.json: " + component + ": must be " +
                         expected + ", got " + name);
}

// Which phases compute with a part. Nothing encodes pictures yet.
std::vector<UnitKind> PhasesOf(const std::string& part) {
  if (part == "text_encoder") return {UnitKind::kEncode};
  if (part == "unet") return {UnitKind::kStep};
  if (part == "vae.decoder") return {UnitKind::kDecode};
  return {};
}

// Opens a component's weights and builds its network from them.
template <typename Network, typename Config>
StatusOr<std::unique_ptr<Network>> Build(const PipelineSource& source, const std::string& component,
                                         WeightLayout layout, const Config& config,
                                         Sd1Components* components) {
  const std::string folder = source.directory + "/" + component;
  ASSIGN_OR_RETURN(
      WeightStore store,
      WeightStore::Open(folder, layout, Network::Options(source.dtype), source.card.variant));
  ASSIGN_OR_RETURN(std::unique_ptr<Network> network, Network::Create(config, store));
  if (std::string surplus = store.Surplus(); !surplus.empty()) {
    components->warnings.push_back(std::move(surplus));
  }
  for (const auto& [part, weights] : store.sets()) {
    const std::string name = part.empty() ? component : component + "." + part;
    components->parts.push_back({name, PhasesOf(name), weights});
  }
  components->weight_bytes += store.files().bytes;
  const std::string label = component + "/";
  for (const std::string& path : store.files().paths) {
    components->files[label + fs::path(path).filename().string()] = path;
  }
  components->files[label + "config.json"] = folder + "/config.json";
  return network;
}

void WarnOfKeys(const std::string& file, const std::vector<std::string>& keys,
                Sd1Components* components) {
  if (keys.empty()) return;
  std::string names;
  for (const std::string& key : keys) names += (names.empty() ? "" : ", ") + key;
  components->warnings.push_back(file + ": keys that are not known and have no effect: " + names);
}

Status LoadNetworks(const PipelineSource& source, Sd1Components* components) {
  const std::string root = source.directory + "/";
  ASSIGN_OR_RETURN(const std::string clip_class, ClassOf(source, "text_encoder"));
  ASSIGN_OR_RETURN(const ClipConfig clip,
                   ParseClipConfig(root + "text_encoder/config.json", clip_class));
  ASSIGN_OR_RETURN(
      components->text_encoder,
      Build<ClipTextModel>(source, "text_encoder", WeightLayout::kTransformers, clip, components));

  RETURN_IF_ERROR(RequireClass(source, "unet", "UNet2DConditionModel"));
  ASSIGN_OR_RETURN(ConfigReader unet_reader, ConfigReader::Open(root + "unet/config.json"));
  ASSIGN_OR_RETURN(const UnetConfig unet, ParseUnetConfig(std::move(unet_reader)));
  ASSIGN_OR_RETURN(components->unet,
                   Build<Unet>(source, "unet", WeightLayout::kDiffusers, unet, components));
  WarnOfKeys(root + "unet/config.json", unet.unknown_keys, components);

  RETURN_IF_ERROR(RequireClass(source, "vae", "AutoencoderKL"));
  ASSIGN_OR_RETURN(ConfigReader vae_reader, ConfigReader::Open(root + "vae/config.json"));
  ASSIGN_OR_RETURN(const VaeConfig vae, ParseVaeConfig(std::move(vae_reader)));
  ASSIGN_OR_RETURN(components->vae,
                   Build<AutoencoderKl>(source, "vae", WeightLayout::kDiffusers, vae, components));
  WarnOfKeys(root + "vae/config.json", vae.unknown_keys, components);
  return OkStatus();
}

StatusOr<nlohmann::json> LoadSchedulerConfig(const PipelineSource& source) {
  const std::string path = source.directory + "/scheduler/scheduler_config.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxConfigBytes));
  StatusOr<nlohmann::json> config = ParseSchedulerConfig(text);
  if (!config.ok()) return Annotate(config.status(), path);
  ASSIGN_OR_RETURN((*config)["_class_name"], ClassOf(source, "scheduler"));
  // Refused now is only what no request can mend, by naming a scheduler that the file has no say
  // in.
  const Status own = MakeScheduler(*config, {}).status();
  bool mendable = own.ok();
  for (const SchedulerName& name : SchedulerNames()) {
    mendable = mendable || MakeScheduler(*config, {.name = std::string(name.alias)}).ok();
  }
  if (!mendable) return Annotate(own, path);
  return config;
}

Status CheckTogether(const PipelineSource& source, const Sd1Components& components) {
  const UnetConfig& unet = components.unet->config();
  const std::string file = source.directory + "/unet/config.json: ";
  if (unet.in_channels != kLatentChannels || unet.out_channels != kLatentChannels) {
    return InvalidArgument(file + "in_channels, out_channels: must be 4, got " +
                           std::to_string(unet.in_channels) + " and " +
                           std::to_string(unet.out_channels) +
                           " (inpainting and similar models are not supported yet)");
  }
  if (unet.text_time || unet.time_cond_proj_dim) {
    return InvalidArgument(file + "the network wants added conditions, which this family has not");
  }
  const VaeConfig& vae = components.vae->config();
  if (vae.latent_channels != kLatentChannels) {
    return InvalidArgument(source.directory + "/vae/config.json: latent_channels: must be 4, got " +
                           std::to_string(vae.latent_channels));
  }
  const ClipConfig& clip = components.text_encoder->config();
  for (const UnetLevel& level : unet.down) {
    if (!level.cross_attention || unet.encoder_hid_dim || level.context == clip.hidden_size) {
      continue;
    }
    return InvalidArgument(file + "cross_attention_dim: is " + std::to_string(level.context) +
                           ", but the text encoder gives " + std::to_string(clip.hidden_size));
  }
  if (components.tokenizer.max_length() > clip.max_positions) {
    return InvalidArgument(source.directory + "/tokenizer: gives " +
                           std::to_string(components.tokenizer.max_length()) +
                           " tokens, the text encoder takes " + std::to_string(clip.max_positions));
  }
  return OkStatus();
}

void AddTokenizerFiles(const std::string& folder, Sd1Components* components) {
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
                           "special_tokens_map.json"}) {
    const std::string path = folder + "/" + name;
    if (fs::exists(path)) components->files[std::string("tokenizer/") + name] = path;
  }
}

}  // namespace

StatusOr<Sd1Components> LoadSd1Components(const PipelineSource& source) {
  const std::string tokenizer_folder = source.directory + "/tokenizer";
  ASSIGN_OR_RETURN(ClipTokenizer tokenizer, ClipTokenizer::Load(tokenizer_folder));
  Sd1Components components{
      source.dtype, std::move(tokenizer), nullptr, nullptr, nullptr, {}, {}, {}, 0, {}};
  AddTokenizerFiles(tokenizer_folder, &components);
  RETURN_IF_ERROR(LoadNetworks(source, &components));
  source.on_part("networks");
  ASSIGN_OR_RETURN(components.scheduler_config, LoadSchedulerConfig(source));
  for (const char* name : {"model_index.json", "scheduler/scheduler_config.json"}) {
    components.files[name] = source.directory + "/" + name;
  }
  RETURN_IF_ERROR(CheckTogether(source, components));
  return components;
}

}  // namespace phasor::engine
