#include "common/queue/redis/view_codec.h"

#include <gtest/gtest.h>

namespace phasor::queue {
namespace {

TEST(ViewCodecTest, ARecordOfAnotherShapeIsDataLoss) {
  EXPECT_EQ(DecodeView({}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeGrant({}, "n").status().code(), StatusCode::kDataLoss);
  QueueStats stats;
  EXPECT_EQ(DecodeStats({}, &stats).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeSeal({}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeAudit({}).status().code(), StatusCode::kDataLoss);
}

RedisReply Word(const std::string& text) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::kText;
  reply.text = text;
  return reply;
}

RedisReply ListOf(std::vector<RedisReply> list) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::kList;
  reply.list = std::move(list);
  return reply;
}

TEST(ViewCodecTest, LimitsAreReadAsTheyAreWritten) {
  QueueLimits limits;
  limits.max_jobs = 11;
  limits.max_running_per_tenant = 12;
  limits.stall = Millis(13);
  limits.max_preemptions = 14;
  RedisReply fields = ListOf({Word("paused"), Word("1")});
  for (const auto& [field, value] : EncodeLimits(limits)) {
    fields.list.push_back(Word(field));
    fields.list.push_back(Word(std::to_string(value)));
  }
  EXPECT_EQ(DecodeLimits(fields).value(), limits);
}

TEST(ViewCodecTest, ALimitThatNobodySetIsTheDefault) {
  EXPECT_EQ(DecodeLimits(ListOf({})).value(), QueueLimits{});
  const QueueLimits limits = DecodeLimits(ListOf({Word("max_tries"), Word("9")})).value();
  EXPECT_EQ(limits.max_tries, 9);
  EXPECT_EQ(limits.max_crashes, QueueLimits{}.max_crashes);
}

TEST(ViewCodecTest, AnAuditsReportIsDecoded) {
  const AuditReport report =
      DecodeAudit(ListOf({Word("7"), Word("40"), Word("2"), ListOf({Word("a"), Word("b")})}))
          .value();
  EXPECT_EQ(report.next_cursor, "7");
  EXPECT_EQ(report.looked, 40);
  EXPECT_EQ(report.repaired, 2);
  EXPECT_EQ(report.repairs, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace phasor::queue
