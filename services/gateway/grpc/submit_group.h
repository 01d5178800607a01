// Submits that arrive together go to the queue together: while one group waits for Redis the next
// one gathers, so a busy gateway pays for threads and round trips once for many calls, and a
// quiet one loses nothing. Those whose key the queue does not know go on to a second step of the
// same kind, with threads of its own: a slow store keeps nobody waiting who does not need it.
// Thread-safe; TryPost never blocks.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/base/mutex.h"
#include "common/trace/tracer.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/flow/submit_flow.h"
#include "services/gateway/flow/work_pool.h"

namespace phasor::gateway {

class SubmitGroup {
 public:
  // One call: its submits stay together and keep their order. The requests live until `done`.
  struct Entry {
    std::vector<SubmitFlow::Item> items;
    std::string trace_parent = {};             // of the call, as TraceParent gives it
    std::function<bool()> canceled = nullptr;  // nobody waits: submit nothing; may be absent
    std::function<void(std::vector<SubmitFlow::Answer>)> done;
  };

  // All outlive the group.
  SubmitGroup(SubmitFlow* flow, metrics::Registry* metrics, const trace::Tracer* tracer);
  ~SubmitGroup() { Stop(); }

  // False, and `done` is never called, when too many wait.
  [[nodiscard]] bool TryPost(Entry entry);
  // Answers what waits, then takes nothing any more. Idempotent.
  void Stop();

  // The W3C traceparent of a call; empty if there is none of sane length.
  static std::string TraceParent(const grpc::CallbackServerContext& call);
  static void LogAccepted(const v1::SubmitResponse& response);

 private:
  struct Unit {
    Entry entry;
    std::vector<SubmitFlow::Pending> pending;
    trace::OpenSpan span = {};
  };
  using Units = std::vector<Unit>;

  // What waits for one step, and the threads that take it on, several units at a time.
  class Step {
   public:
    struct Options {
      WorkPool::Config pool;  // as many groups at once as it has threads
      size_t max_group = 32;  // submits
      // So many units wait before another thread takes a group of its own.
      size_t worth_another = 0;
    };
    Step(Options options, metrics::Registry* metrics, std::function<void(Units)> run);

    [[nodiscard]] bool TryPost(Unit* unit);
    void Stop() { pool_.Stop(); }

   private:
    void Drain();
    Units NextGroup() REQUIRES_LOCK(mu_);

    const Options options_;
    const std::function<void(Units)> run_;

    Mutex mu_;
    std::deque<Unit> waiting_ GUARDED_BY(mu_);
    int drains_ GUARDED_BY(mu_) = 0;  // threads that empty waiting_

    WorkPool pool_;  // last: its threads use the others
  };

  void AskQueue(Units units);
  void AskStore(Units units);
  static SubmitFlow::Group PendingOf(Units* units);
  static bool IsOver(const Unit& unit);
  void Answer(Unit unit);
  void Tell(const Unit& unit, const std::vector<SubmitFlow::Answer>& answers) const;

  SubmitFlow* const flow_;
  const trace::Tracer* const tracer_;
  Step store_step_;
  Step queue_step_;  // after the step that it posts to
};

}  // namespace phasor::gateway
