#include "common/storage/result_store.h"

#include <gtest/gtest.h>

#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

TEST(ResultStoreTest, KeysTellWhatTheyName) {
  const job::JobId id = TestId(1);
  const job::JobId redriven = id + "#2";
  const struct {
    std::string key;
    ObjectKind kind;
  } cases[] = {
      {BlobKey(id, 3, "nonce", 0), ObjectKind::kBlob},
      {BlobKey(redriven, 3, "nonce", 0), ObjectKind::kBlob},
      {CheckpointKey(id, 3, 17), ObjectKind::kCheckpoint},
      {TerminalKey(id), ObjectKind::kTerminal},
      {"jobs/" + id + "/terminal/x", ObjectKind::kOther},
      {"jobs/" + id + "/rx", ObjectKind::kOther},
      {"jobs/" + id + "/note", ObjectKind::kOther},
  };
  for (const auto& [key, kind] : cases) {
    const std::optional<JobObject> object = ParseJobKey(key);
    ASSERT_TRUE(object) << key;
    EXPECT_EQ(object->kind, kind) << key;
    EXPECT_EQ(object->id, key.find('#') == std::string::npos ? id : redriven);
  }
  for (const std::string& key :
       {std::string(), std::string("jobs"), std::string("jobs/"), "jobs/" + id, "jobz/" + id + "/r",
        std::string("jobs/short/r/1"), "x/jobs/" + id + "/terminal"}) {
    EXPECT_FALSE(ParseJobKey(key)) << key;
  }
}

TEST(ResultStoreTest, OnlyRecordsCannotBePut) {
  EXPECT_EQ(CheckPut(TerminalKey(TestId(1))).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckPut("a b").code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(CheckPut("jobs/" + TestId(1) + "/terminal2").ok());
  EXPECT_TRUE(CheckPut("terminal").ok());
}

TEST(ResultStoreTest, OnlyARefusalSaysThatNothingHappened) {
  EXPECT_FALSE(MayHaveHappened(OkStatus()));
  for (const Status& refusal : {ResourceExhausted("full"), InvalidArgument("too long")}) {
    EXPECT_FALSE(MayHaveHappened(refusal)) << refusal;
  }
  for (const Status& open : {Unavailable("?"), DataLoss("?"), NotFound("?"), Internal("?")}) {
    EXPECT_TRUE(MayHaveHappened(open)) << open;
  }
}

}  // namespace
}  // namespace phasor::storage
