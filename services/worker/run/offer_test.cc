#include "services/worker/run/offer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i).insert(0, 1, 'm'));
  return names;
}

bool Any(const std::string&) { return true; }

TEST(OfferTest, ResidentModelsComeFirstAndTheOthersInTheirOrder) {
  Offer offer({"a", "b", "c", "d"});
  EXPECT_THAT(offer.Next({"c", "a"}, Any), ElementsAre("c", "a", "b", "d"));
  EXPECT_TRUE(offer.RoundIsOver());
  EXPECT_THAT(offer.Next({}, Any), ElementsAre("a", "b", "c", "d"));
}

TEST(OfferTest, LeavesOutWhatIsDoubted) {
  Offer offer({"a", "b", "c"});
  const auto may = [](const std::string& model) { return model != "b"; };
  EXPECT_THAT(offer.Next({"b"}, may), ElementsAre("a", "c"));
  EXPECT_THAT(offer.Next({"c", "b"}, may), ElementsAre("c", "a"));
}

TEST(OfferTest, WhatDoesNotFitHasItsTurnLater) {
  Offer offer({"a", "b", "c", "d", "e", "f"}, 3);
  EXPECT_THAT(offer.Next({"d"}, Any), ElementsAre("d", "a", "b"));
  EXPECT_FALSE(offer.RoundIsOver());
  EXPECT_THAT(offer.Next({"d"}, Any), ElementsAre("d", "c", "e"));
  EXPECT_THAT(offer.Next({"d"}, Any), ElementsAre("d", "f"));
  EXPECT_TRUE(offer.RoundIsOver());
  EXPECT_THAT(offer.Next({"d"}, Any), ElementsAre("d", "a", "b"));
}

TEST(OfferTest, ManyResidentModelsLeaveRoomForTheOthers) {
  Offer offer({"a", "b", "c", "d", "e"}, 4);
  EXPECT_THAT(offer.Next({"a", "b", "c", "d"}, Any), ElementsAre("a", "b", "c", "e"));
  EXPECT_TRUE(offer.RoundIsOver());
}

TEST(OfferTest, EveryModelHasItsTurnHoweverManyThereAre) {
  for (const int count : {1, 63, 64, 65, 128, 200, 1'000}) {
    const std::vector<std::string> names = Names(count);
    Offer offer(names);
    std::set<std::string> offered;
    int takes = 0;
    do {
      const auto next = offer.Next({"m0"}, Any);
      EXPECT_LE(next.size(), queue::kMaxModelsOffered);
      EXPECT_EQ(next.front(), "m0");
      offered.insert(next.begin(), next.end());
      ++takes;
    } while (!offer.RoundIsOver() && takes < 100);
    EXPECT_THAT(offered, SizeIs(count));
    EXPECT_LE(takes, count / 63 + 1) << count;
  }
}

TEST(OfferTest, ModelsThatCeaseToBeDoubtedMidwayDisturbNothing) {
  Offer offer({"a", "b", "c", "d", "e"}, 2);
  EXPECT_THAT(offer.Next({}, Any), ElementsAre("a", "b"));
  EXPECT_THAT(offer.Next({}, [](const std::string& m) { return m == "a"; }), ElementsAre("a"));
  EXPECT_TRUE(offer.RoundIsOver());
}

}  // namespace
}  // namespace phasor::worker
