#include "services/render/profile.h"

#include <algorithm>
#include <iomanip>

#include "common/base/byte_size.h"
#include "engine/calibration/measure.h"

namespace phasor::render {
namespace {

std::string SizeText(const engine::UnitShape& shape) {
  return std::to_string(shape.width) + "x" + std::to_string(shape.height);
}

std::string WordOf(const engine::UnitShape& shape) {
  std::string word(ToString(shape.phase));
  if (shape.phase == engine::UnitKind::kStep) word += shape.guidance ? ", guided" : ", plain";
  return word;
}

void WriteLine(const engine::MeasuredUnit& unit, std::ostream& out) {
  const double factor =
      static_cast<double>(unit.counted_bytes) / static_cast<double>(unit.expected_bytes);
  out << std::left << std::setw(12) << SizeText(unit.shape) << std::setw(18) << WordOf(unit.shape)
      << std::right << std::setw(12) << ByteSizeText(unit.counted_bytes) << std::setw(12)
      << ByteSizeText(unit.expected_bytes) << std::fixed << std::setprecision(3) << std::setw(10)
      << factor << std::setprecision(4) << std::setw(12) << unit.seconds << " s" << std::endl;
}

}  // namespace

Status WriteProfile(engine::Model& model, const config::ModelCard& card, const PictureSpec& spec,
                    const ProfileOutput& output) {
  engine::MeasureOptions options;
  options.spec = spec;
  options.sides = engine::SidesBetween(card.limits.min_size, std::max(spec.width, spec.height));
  options.on_unit = [&](const engine::MeasuredUnit& unit) { WriteLine(unit, output.out); };
  options.on_skip = [&](const std::string& what) {
    output.err << "phasor-render: " << what << std::endl;
  };
  options.stop = [&] { return output.stop.load(); };
  output.out << "size        phase                  counted    computed     ratio        time\n";
  ASSIGN_OR_RETURN(const engine::Calibration calibration, engine::Measure(model, options));
  ASSIGN_OR_RETURN(const std::string path, model.Keep(calibration));
  output.out << "kept in " << path << std::endl;
  return OkStatus();
}

}  // namespace phasor::render
