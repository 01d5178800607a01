// The Redis queue in the form that the contract suite wants: one server for the whole program,
// emptied for each test, and a script that checks every index against every job.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/queue/contract/queue_contract.h"
#include "common/queue/redis/redis_queue.h"

namespace phasor::queue {

RedisOptions OptionsFor(const std::string& url);

class RedisQueueUnderTest final : public QueueUnderTest {
 public:
  // Empties the database at `url`.
  explicit RedisQueueUnderTest(const std::string& url);
  Producer& producer() override { return queue_; }
  Consumer& consumer() override { return queue_; }
  Maintenance& maintenance() override { return queue_; }
  Control& control() override { return queue_; }
  EventChannel& events() override { return queue_; }
  void Advance(Millis by) override { queue_.AdvanceForTesting(by); }
  void DeclareWhole() override;
  std::vector<std::string> Violations() override;

  // A plain command on a connection beside the queue's.
  RedisReply Call(const std::vector<std::string_view>& arguments);
  RedisQueue& queue() { return queue_; }

 private:
  std::unique_ptr<RedisConnection> connection_;
  RedisQueue queue_;
};

}  // namespace phasor::queue
