#include "engine/device/kind_ledger.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(KindLedgerTest, KnowsWhatIsInUseForWhatAndWhatWasWhenItWasMost) {
  KindLedger ledger(100);
  ledger.Allocated(0x10, 30, MemoryKind::kWeights);
  ledger.Allocated(0x20, 40, MemoryKind::kActivations);
  ledger.Freed(0x20);
  ledger.Allocated(0x20, 10, MemoryKind::kWorkspace);
  MemoryUse use = ledger.Use();
  EXPECT_EQ(use.capacity, 100u);
  EXPECT_EQ(use.current.of(MemoryKind::kWeights), 30u);
  EXPECT_EQ(use.current.of(MemoryKind::kActivations), 0u);
  EXPECT_EQ(use.current.of(MemoryKind::kWorkspace), 10u);
  EXPECT_EQ(use.peak.total(), 70u);
  EXPECT_EQ(use.peak.of(MemoryKind::kActivations), 40u);
  ledger.ResetPeak();
  EXPECT_EQ(ledger.Use().peak.total(), 40u);
}

TEST(KindLedgerTest, ForgivesAnEndThatWasNotToldAndOneOfABlockItDoesNotKnow) {
  KindLedger ledger;
  ledger.Freed(0x30);
  ledger.Allocated(0x10, 30, MemoryKind::kWeights);
  ledger.Allocated(0x10, 20, MemoryKind::kActivations);
  EXPECT_EQ(ledger.Use().current.total(), 20u);
  ledger.Freed(0x10);
  ledger.Freed(0x10);
  EXPECT_EQ(ledger.Use().current.total(), 0u);
}

}  // namespace
}  // namespace phasor::engine
