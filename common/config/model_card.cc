#include "common/config/model_card.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <limits>
#include <type_traits>
#include <variant>

#include "common/base/file.h"
#include "common/config/native_size.h"
#include "common/config/yaml_reader.h"
#include "common/picture/asked.h"

namespace phasor::config {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxName = 64;

bool IsLegal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Folders are named as people like; this is the legal name that comes nearest.
std::string LegalName(const std::string& folder) {
  std::string name;
  for (const unsigned char byte : folder) {
    const char c = static_cast<char>(std::tolower(byte));
    if (name.size() == kMaxName) break;
    if (IsLegal(c) && (!name.empty() || (c != '.' && c != '-'))) {
      name += c;
    } else if (!IsLegal(c) && !name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "model" : name;
}

// Which sides of the default size a card states itself.
struct StatedSize {
  bool width = false;
  bool height = false;
};

// What the table lets a card say; whether it is within the card's own limits is looked at later.
StatedSize ReadDefaults(YamlReader& card, PictureSpec* defaults) {
  constexpr double kAny = std::numeric_limits<int>::max();
  const picture::Limits widest = picture::WidestLimits();
  YamlReader reader = card.Child("defaults");
  for (const picture::Parameter<PictureSpec>& parameter : picture::Parameters()) {
    if (parameter.origin != picture::Default::kCard) continue;
    const std::string key(parameter.name);
    const double low = parameter.low.In(widest).value_or(-kAny);
    const double high = parameter.high.In(widest).value_or(kAny);
    picture::WithValue(parameter, *defaults, [&](auto& value) {
      using T = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<T, std::string>) reader.String(key, &value);
      if constexpr (std::is_same_v<T, int>) {
        reader.Int(key, static_cast<int64_t>(low), static_cast<int64_t>(high), &value);
      }
      if constexpr (std::is_same_v<T, double>) reader.Double(key, low, high, &value);
    });
  }
  card.Absorb(reader);
  return {reader.Has("width"), reader.Has("height")};
}

// Which of the limits a card states itself.
struct StatedLimits {
  bool min_size = false;
  bool max_size = false;
};

StatedLimits ReadLimits(YamlReader& card, picture::Limits* limits) {
  YamlReader reader = card.Child("limits");
  for (const picture::Limit& limit : picture::LimitTable()) {
    const std::string key(limit.name);
    std::visit(
        [&](auto member) {
          auto& value = limits->*member;
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, int>) {
            reader.Int(key, static_cast<int64_t>(limit.low), static_cast<int64_t>(limit.high),
                       &value);
          } else {
            reader.Double(key, limit.low, limit.high, &value);
          }
        },
        limit.field);
  }
  if (limits->min_size > limits->max_size) reader.Fail("min_size", "must not exceed max_size");
  card.Absorb(reader);
  return {reader.Has("min_size"), reader.Has("max_size")};
}

// The side that comes nearest within the limits.
int Within(const picture::Limits& limits, int side) {
  const int multiple = limits.size_multiple;
  const int low = (limits.min_size + multiple - 1) / multiple * multiple;
  const int high = limits.max_size / multiple * multiple;
  return std::clamp(side / multiple * multiple, low, std::max(low, high));
}

// Makes the networks' own size the default. A limit that the card states holds; one that it leaves
// open gives way.
void FitSize(const std::optional<NativeSize>& native, StatedLimits stated, ModelCard* card) {
  if (!native) return;
  picture::Limits& limits = card->limits;
  if (!stated.min_size) {
    limits.min_size = std::min({limits.min_size, native->width, native->height});
  }
  if (!stated.max_size) {
    limits.max_size = std::max({limits.max_size, native->width, native->height});
  }
  card->defaults.width = Within(limits, native->width);
  card->defaults.height = Within(limits, native->height);
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
  const auto violations = picture::Validate(card.defaults, card.limits);
  if (violations.empty()) return OkStatus();
  return InvalidArgument(where + ": defaults." + violations.front().field + " " +
                         violations.front().description + ", as limits say");
}

}  // namespace

bool IsModelName(const std::string& name) {
  if (name.empty() || name.size() > kMaxName || name[0] == '.' || name[0] == '-') return false;
  return std::all_of(name.begin(), name.end(), IsLegal);
}

StatusOr<ModelCard> ReadModelCard(const std::string& directory, ModelFiles files) {
  std::error_code error;
  // Absolute, since "." has no name.
  const fs::path folder = fs::absolute(directory, error).lexically_normal();
  const std::string path = folder / "phasor.yaml";
  const bool stated = fs::exists(path, error);
  const bool whole = fs::exists(folder / "model_index.json", error);
  if (!whole && files == ModelFiles::kHere) {
    return NotFound("no model in " + directory + ": model_index.json is missing");
  }
  if (!whole && !stated) {
    return NotFound("no model in " + directory + ": neither model_index.json nor phasor.yaml");
  }
  ModelCard card;
  card.directory = folder.string();
  card.name =
      LegalName(folder.has_filename() ? folder.filename() : folder.parent_path().filename());
  card.family = "sd1";
  if (stated) {
    ASSIGN_OR_RETURN(YamlReader reader, YamlReader::Open(path));
    reader.String("name", &card.name);
    reader.String("family", &card.family);
    reader.String("description", &card.description);
    reader.String("licence", &card.licence);
    reader.String("variant", &card.variant);
    const StatedLimits limits = ReadLimits(reader, &card.limits);
    FitSize(ReadNativeSize(card.directory), limits, &card);
    const StatedSize size = ReadDefaults(reader, &card.defaults);
    ReadPreview(reader, &card.preview);
    ReadSha256(reader, &card.sha256);
    RETURN_IF_ERROR(reader.Finish());
    RETURN_IF_ERROR(CheckDefaults(card, path));
    if (!whole && !(size.width && size.height)) {
      return InvalidArgument(path + ": a card without its model must state defaults.width and " +
                             "defaults.height");
    }
  } else {
    FitSize(ReadNativeSize(card.directory), {}, &card);
  }
  if (!IsModelName(card.name)) {
    return InvalidArgument(path + ": name must be 1 to 64 characters of a-z, 0-9, '.', '_', '-'");
  }
  return card;
}

}  // namespace phasor::config
