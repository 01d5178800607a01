#include "engine/calibration/calibration_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace phasor::engine {
namespace {

class CalibrationFileTest : public testing::Test {
 protected:
  CalibrationFileTest() {
    key_.directory = testing::TempDir() + "calibration-" + std::to_string(getpid());
    key_.model_digest = "0a0b";
    key_.machine = "cpu, fp32, 2 threads";
  }
  ~CalibrationFileTest() override { std::filesystem::remove_all(key_.directory); }

  static Calibration Measured() {
    return {{{{UnitKind::kEncode, 64, 64, true}, 1000, 990, 0.5},
             {{UnitKind::kStep, 64, 64, false}, 2000, 2100, 1.25}},
            1e-9};
  }

  // What reading says of the file with this change.
  std::string Changed(const std::function<void(nlohmann::json&)>& change) {
    const std::string path = WriteCalibration(key_, Measured()).value();
    nlohmann::json json = nlohmann::json::parse(ReadFile(path, 1 << 20).value());
    change(json);
    EXPECT_TRUE(WriteFileDurably(path, json.dump()).ok());
    const auto read = ReadCalibration(key_);
    EXPECT_EQ(read.status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(Message(read.status()).find(path + ": "), 0u) << read.status();
    return Message(read.status());
  }

  CalibrationKey key_;
};

TEST_F(CalibrationFileTest, ReadsWhatWasWritten) {
  EXPECT_FALSE(ReadCalibration(key_).value().has_value());
  ASSERT_TRUE(WriteCalibration(key_, Measured()).ok());
  const Calibration read = ReadCalibration(key_).value().value();
  ASSERT_EQ(read.units.size(), 2u);
  EXPECT_EQ(read.units[1].shape, Measured().units[1].shape);
  EXPECT_EQ(read.units[1].counted_bytes, 2100u);
  EXPECT_EQ(read.units[1].seconds, 1.25);
  EXPECT_EQ(read.fetch_seconds_per_byte, 1e-9);
}

TEST_F(CalibrationFileTest, AnotherMachineOrModelHasAnotherFile) {
  ASSERT_TRUE(WriteCalibration(key_, Measured()).ok());
  CalibrationKey other = key_;
  other.machine = "cpu, bf16, 2 threads";
  EXPECT_FALSE(ReadCalibration(other).value().has_value());
  other = key_;
  other.model_digest = "0c";
  EXPECT_FALSE(ReadCalibration(other).value().has_value());
}

TEST_F(CalibrationFileTest, WithoutACacheDirectoryNothingIsKeptOrFound) {
  key_.directory.clear();
  EXPECT_EQ(WriteCalibration(key_, Measured()).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(ReadCalibration(key_).value().has_value());
}

TEST_F(CalibrationFileTest, RefusesWhatIsForeignCutOffOrCannotBe) {
  const std::pair<std::function<void(nlohmann::json&)>, const char*> cases[] = {
      {[](auto& json) { json = "text"; }, "is no JSON object"},
      {[](auto& json) { json["version"] = 2; }, "its \"version\" is not 1"},
      {[](auto& json) { json["model"] = "other"; }, "its \"model\" is not \"0a0b\""},
      {[](auto& json) { json["machine"] = "other"; }, "its \"machine\" is not"},
      {[](auto& json) { json.erase("units"); }, "units"},
      {[](auto& json) { json["units"][0].erase("seconds"); }, "seconds"},
      {[](auto& json) { json["units"][1]["phase"] = "paint"; }, "unit 2 is of an unknown phase"},
      {[](auto& json) { json["units"][0]["width"] = 0; }, "unit 1 has sides beyond 1 to"},
      {[](auto& json) { json["units"][0]["seconds"] = -1; }, "unit 1 has seconds that are no time"},
      {[](auto& json) { json["units"][0]["counted_bytes"] = 1; },
       "unit 1 says that 1B were counted where 1000B are computed, which is more than 4 times or "
       "less than 0.2 of it"},
      {[](auto& json) { json["units"][0]["counted_bytes"] = 4001; }, "were counted where"},
      {[](auto& json) { json["units"][0]["expected_bytes"] = 0; }, "expects no memory"},
      {[](auto& json) { json["fetch_seconds_per_byte"] = -1; }, "fetch_seconds_per_byte"},
  };
  for (const auto& [change, phrase] : cases) {
    EXPECT_NE(Changed(change).find(phrase), std::string::npos) << phrase;
  }
}

TEST_F(CalibrationFileTest, WritesNothingThatCouldNotBeRead) {
  Calibration wrong = Measured();
  wrong.units.front().counted_bytes = 1;
  EXPECT_EQ(WriteCalibration(key_, wrong).status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(ReadCalibration(key_).value().has_value());
}

TEST_F(CalibrationFileTest, RefusesAFileThatIsCutOff) {
  const std::string path = WriteCalibration(key_, Measured()).value();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(ReadCalibration(key_).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace phasor::engine
