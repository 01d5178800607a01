#include "engine/runtime/families.h"

#include <string_view>

#include "engine/models/sd1/sd1_pipeline.h"

namespace phasor::engine {
namespace {

struct Family {
  std::string_view pipeline_class;
  StatusOr<std::unique_ptr<Pipeline>> (*load)(const PipelineSource& source);
};

constexpr Family kFamilies[] = {
    {"StableDiffusionPipeline", LoadSd1Pipeline},
};

}  // namespace

StatusOr<std::unique_ptr<Pipeline>> LoadPipeline(const PipelineSource& source) {
  const std::string file = source.directory + "/model_index.json";
  const auto name = source.index.find("_class_name");
  if (name == source.index.end() || !name->is_string()) {
    return InvalidArgument(file + ": _class_name: must be a text");
  }
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.pipeline_class == name->get<std::string>()) return family.load(source);
    known += (known.empty() ? "" : ", ") + std::string(family.pipeline_class);
  }
  return InvalidArgument(file + ": _class_name: " + name->get<std::string>() +
                         " is not supported, known are " + known);
}

}  // namespace phasor::engine
