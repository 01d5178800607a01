#include "common/config/model_card.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "common/base/file.h"
#include "common/config/yaml_reader.h"

namespace phasor::config {
namespace {

namespace fs = std::filesystem;

constexpr int kLargestSide = 16'384;  // pixels; a card can't promise more

bool IsLegalName(const std::string& name) {
  if (name.empty() || name.size() > 64 || name.front() == '.' || name.front() == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

void ReadDefaults(YamlReader& card, ModelDefaults* defaults) {
  YamlReader reader = card.Child("defaults");
  reader.Int("width", 8, kLargestSide, &defaults->width);
  reader.Int("height", 8, kLargestSide, &defaults->height);
  reader.Int("steps", 1, 10'000, &defaults->steps);
  reader.Double("guidance_scale", 0, 1'000, &defaults->guidance_scale);
  reader.String("scheduler", &defaults->scheduler);
  card.Absorb(reader);
}

void ReadLimits(YamlReader& card, ModelLimits* limits) {
  YamlReader reader = card.Child("limits");
  reader.Int("min_size", 8, kLargestSide, &limits->min_size);
  reader.Int("max_size", 8, kLargestSide, &limits->max_size);
  reader.Int("size_multiple", 8, 1'024, &limits->size_multiple);
  reader.Int("max_steps", 1, 10'000, &limits->max_steps);
  reader.Int("max_images", 1, 1'024, &limits->max_images);
  reader.Double("max_guidance_scale", 0, 1'000, &limits->max_guidance_scale);
  int64_t prompt_bytes = static_cast<int64_t>(limits->max_prompt_bytes);
  reader.Int("max_prompt_bytes", 1, 1 << 20, &prompt_bytes);
  limits->max_prompt_bytes = static_cast<uint64_t>(prompt_bytes);
  reader.Int("max_clip_skip", 0, 64, &limits->max_clip_skip);
  if (limits->min_size > limits->max_size) reader.Fail("min_size", "must not exceed max_size");
  card.Absorb(reader);
}

void ReadPreview(YamlReader& card, std::optional<PreviewFactors>* preview) {
  if (!card.Has("preview")) return;
  YamlReader reader = card.Child("preview");
  PreviewFactors factors;
  const YAML::Node rows = reader.Raw("latent_rgb");
  const char* const kShape = "must be a list of [r, g, b], one for each latent channel";
  if (!rows.IsDefined() || !rows.IsSequence() || rows.size() == 0 || rows.size() > 64) {
    reader.Fail("latent_rgb", kShape);
  } else {
    for (const YAML::Node& row : rows) {
      std::array<double, 3> rgb{};
      if (!YAML::convert<std::array<double, 3>>::decode(row, rgb)) {
        reader.Fail("latent_rgb", kShape);
        break;
      }
      factors.latent_rgb.push_back(rgb);
    }
  }
  std::vector<double> bias;
  reader.Doubles("bias", &bias);
  if (bias.size() == 3) {
    std::copy(bias.begin(), bias.end(), factors.bias.begin());
  } else if (!bias.empty()) {
    reader.Fail("bias", "must have 3 numbers");
  }
  card.Absorb(reader);
  *preview = factors;
}

bool IsSha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void ReadSha256(YamlReader& card, std::map<std::string, std::string>* sha256) {
  if (!card.Has("sha256")) return;
  const YAML::Node files = card.Raw("sha256");
  if (!files.IsMap()) return card.Fail("sha256", "must map files to their SHA-256");
  for (const auto& file : files) {
    const std::string name = file.first.as<std::string>("");
    const std::string hash = file.second.as<std::string>("");
    if (!IsSha256(hash)) {
      return card.Fail("sha256", "must have 64 lower-case hexadecimal digits for " + name);
    }
    (*sha256)[name] = hash;
  }
}

Status CheckDefaults(const ModelCard& card, const std::string& where) {
  const auto in_bounds = [&](int side) {
    return side >= card.limits.min_size && side <= card.limits.max_size &&
           side % card.limits.size_multiple == 0;
  };
  if (!in_bounds(card.defaults.width) || !in_bounds(card.defaults.height)) {
    return InvalidArgument(where + ": defaults.width and defaults.height must be within limits");
  }
  if (card.defaults.steps > card.limits.max_steps) {
    return InvalidArgument(where + ": defaults.steps must not exceed limits.max_steps");
  }
  return OkStatus();
}

}  // namespace

StatusOr<ModelCard> ReadModelCard(const std::string& directory) {
  const fs::path folder = fs::path(directory).lexically_normal();
  std::error_code error;
  if (!fs::exists(folder / "model_index.json", error)) {
    return NotFound("no model in " + directory + ": model_index.json is missing");
  }
  ModelCard card;
  card.directory = folder.string();
  card.name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  card.family = "sd1";
  const std::string path = folder / "phasor.yaml";
  if (fs::exists(path, error)) {
    ASSIGN_OR_RETURN(YamlReader reader, YamlReader::Open(path));
    reader.String("name", &card.name);
    reader.String("family", &card.family);
    reader.String("description", &card.description);
    reader.String("licence", &card.licence);
    ReadDefaults(reader, &card.defaults);
    ReadLimits(reader, &card.limits);
    ReadPreview(reader, &card.preview);
    ReadSha256(reader, &card.sha256);
    RETURN_IF_ERROR(reader.Finish());
    RETURN_IF_ERROR(CheckDefaults(card, path));
  }
  if (!IsLegalName(card.name)) {
    return InvalidArgument(path + ": name must be 1 to 64 characters of a-z, 0-9, '.', '_', '-'");
  }
  return card;
}

StatusOr<std::vector<ModelCard>> ReadModelCards(const std::string& root) {
  std::error_code error;
  std::vector<std::string> folders;
  if (fs::exists(fs::path(root) / "model_index.json", error)) {
    folders.push_back(root);
  } else {
    fs::directory_iterator entries(root, error);
    if (error) return NotFound("cannot read the model folder " + root + ": " + error.message());
    for (const fs::directory_entry& entry : entries) {
      if (fs::exists(entry.path() / "model_index.json", error)) folders.push_back(entry.path());
    }
  }
  std::vector<ModelCard> cards;
  for (const std::string& folder : folders) {
    ASSIGN_OR_RETURN(ModelCard card, ReadModelCard(folder));
    cards.push_back(std::move(card));
  }
  std::sort(cards.begin(), cards.end(),
            [](const ModelCard& a, const ModelCard& b) { return a.name < b.name; });
  for (size_t i = 1; i < cards.size(); ++i) {
    if (cards[i].name == cards[i - 1].name) {
      return InvalidArgument("two models are named " + cards[i].name + ": " +
                             cards[i - 1].directory + " and " + cards[i].directory);
    }
  }
  return cards;
}

}  // namespace phasor::config
