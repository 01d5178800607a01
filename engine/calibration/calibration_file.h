// Where a calibration is kept: a JSON file in the cache directory, named after the model's digest
// and the machine it was measured on. Thread-safe (no shared state).
#pragma once

#include <optional>
#include <string>

#include "common/base/status.h"
#include "engine/calibration/calibration.h"

namespace phasor::engine {

// Whose calibration it is.
struct CalibrationKey {
  std::string directory;     // the cache; empty: there is none
  std::string model_digest;  // hex
  std::string machine;       // device, type, threads and libraries, in words
};

std::string CalibrationPath(const CalibrationKey& key);

// FAILED_PRECONDITION without a directory, DATA_LOSS for what could not be read again. Written
// atomically; returns its path.
StatusOr<std::string> WriteCalibration(const CalibrationKey& key, const Calibration& calibration);

// nullopt: there is none. DATA_LOSS with path and reason for a file that is truncated, of another
// model or machine, or says what cannot be.
StatusOr<std::optional<Calibration>> ReadCalibration(const CalibrationKey& key);

}  // namespace phasor::engine
