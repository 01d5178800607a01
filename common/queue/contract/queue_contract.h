// The contract of the queue's ports as tests, run against every implementation. An implementation
// gives a QueueUnderTest and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, QueueContract, testing::Values(&MakeMemoryQueueUnderTest));
//
// Time moves by Advance only (give or take the milliseconds that a test runs).
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/queue/queue.h"

namespace phasor::queue {

class QueueUnderTest {
 public:
  virtual ~QueueUnderTest() = default;
  virtual Producer& producer() = 0;
  virtual Consumer& consumer() = 0;
  virtual Maintenance& maintenance() = 0;
  virtual Control& control() = 0;
  virtual EventChannel& events() = 0;
  virtual void Advance(Millis by) = 0;
  // There was no job before this queue.
  virtual void DeclareWhole() = 0;
  // What is wrong with the indexes, one sentence each.
  virtual std::vector<std::string> Violations() = 0;
};

using QueueFactory = std::unique_ptr<QueueUnderTest> (*)();

// The id of the n-th job of a test.
JobId TestJobId(int n);
SubmitRequest TestRequest(int n);

class QueueContract : public testing::TestWithParam<QueueFactory> {
 protected:
  void SetUp() override { queue_ = GetParam()(); }
  // After each test every job is in exactly the index that its state names.
  void TearDown() override;

  Producer& producer() { return queue_->producer(); }
  Consumer& consumer() { return queue_->consumer(); }
  Maintenance& maintenance() { return queue_->maintenance(); }
  Control& control() { return queue_->control(); }

  void MustSubmit(const SubmitRequest& request);
  void MustSubmit(int n) { MustSubmit(TestRequest(n)); }
  // With the test's model and a fresh nonce.
  std::optional<Grant> Take();
  std::optional<Grant> Take(const std::string& nonce, const std::string& node = "node-a");
  std::optional<Grant> TakeOf(const std::vector<std::string>& models);
  Grant MustTake();
  // Takes and completes until nothing is left or `most` are done; the grants in order.
  std::vector<Grant> Drain(size_t most = 1000);
  JobView View(const JobId& id);
  // Of all pages.
  std::vector<JobId> AllIds(ListRequest request);
  // Makes a job that has not ended a dead letter.
  void MustKill(const JobId& id);
  void MustKill(int n) { MustKill(TestJobId(n)); }
  OwnerAnswer Renew(const Fence& fence, int64_t units, Millis stall = Millis(0));

  // `count` jobs with the next ids.
  void SubmitMany(int count, const SubmitRequest& like);
  void SubmitMany(int count, Priority priority);
  std::map<Priority, int> Shares(size_t takes);
  // The last letters of the tenants' names in the order in which they are served.
  std::string Tenants(size_t takes);

  std::unique_ptr<QueueUnderTest> queue_;

 private:
  int nonces_ = 0;
  int submitted_ = 0;
};

// A random walk over all operations. Asserts after every step that the indexes are right, that
// epochs grow with every grant, that terminal states never change, that no superseded owner is
// answered OK and that jobs live as common/job/lifecycle.h decides. Returns what every call
// answered: equal for all implementations with one seed.
std::vector<std::string> RandomWalk(QueueUnderTest& queue, uint64_t seed, int steps);

}  // namespace phasor::queue
