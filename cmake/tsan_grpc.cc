// Tells the thread sanitizer what gRPC orders between our callbacks. Debian's gRPC is not
// instrumented, so that what a call's starter wrote before an operation and its callback reads
// afterwards would be a false race. Of gRPC these promises are told:
//   - Starting an operation happens before the completion with the same tag is handed out. Every
//     batch, alarm, requested call and shutdown goes this way, also those of the callback API.
//   - Handing a closure to gRPC's executor, for OnDone and OnCancel, happens before it runs.
//   - A call's handler happens before its OnCancel, all of a call's callbacks before its OnDone.
//   - Starting a server happens before anything that a queue hands out later.
//
// gRPC's own locks stay unseen on purpose. They would order almost any two callbacks by accident
// and so hide a race between two handlers; tests/sanitizer/grpc_order_test.cc holds that line.
//
// Names and layouts fit gRPC 1.51 of Debian 12; PhasorTsan.cmake refuses to configure where the
// names are missing.

#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include <grpc/grpc.h>
#include <grpcpp/support/server_callback.h>

#include "cmake/tsan_interpose.h"

namespace {

char servers;  // its address stands for all servers: they share the threads of the callback API

grpc_event Handed(grpc_event event) {
  __tsan_acquire(&servers);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

// An absl::Status given by value: the address of the caller's copy.
using StatusArgument = void*;

// The beginning of grpc_closure, which no installed header shows.
struct Closure {
  void* next;
  void (*run)(void* argument, StatusArgument status);
  void* argument;
};

// What a closure was before it went to the executor.
struct Submitted {
  Closure* closure;
  Closure original;
};

void RunSubmitted(void* argument, StatusArgument status) {
  const std::unique_ptr<Submitted> submitted(static_cast<Submitted*>(argument));
  __tsan_acquire(submitted.get());
  submitted->closure->run = submitted->original.run;
  submitted->closure->argument = submitted->original.argument;
  submitted->original.run(submitted->original.argument, status);
}

// ServerCallbackCall ends with two counters: what is missing until OnCancel may be called, and the
// callbacks that have not ended. libgrpc++ counts down as well, which the sanitizer does not see.
char* Counters(void* call) {
  using Call = grpc::internal::ServerCallbackCall;
  static_assert(sizeof(Call) == sizeof(void*) + 2 * sizeof(std::atomic_int));
  return static_cast<char*>(call) + sizeof(void*);
}
void* UntilOnCancel(void* call) { return Counters(call); }
void* Outstanding(void* call) { return Counters(call) + sizeof(std::atomic_int); }

// Stands for a call's reactor in one OnCancel, after which libgrpc++ counts it out.
class Canceled final : public grpc::internal::ServerReactor {
 public:
  Canceled(void* call, grpc::internal::ServerReactor* reactor) : call_(call), reactor_(reactor) {}

  void OnDone() override {}
  void OnCancel() override {
    reactor_->OnCancel();
    __tsan_release(Outstanding(call_));
    delete this;
  }

 private:
  void* const call_;
  grpc::internal::ServerReactor* const reactor_;
};

}  // namespace

PHASOR_INTERPOSE(bool, begin_op, "_Z16grpc_cq_begin_opP21grpc_completion_queuePv",
                 grpc_completion_queue* queue, void* tag) {
  __tsan_release(tag);
  return real_begin_op()(queue, tag);
}

PHASOR_INTERPOSE(grpc_event, queue_next, "grpc_completion_queue_next", grpc_completion_queue* queue,
                 gpr_timespec deadline, void* reserved) {
  return Handed(real_queue_next()(queue, deadline, reserved));
}

PHASOR_INTERPOSE(grpc_event, queue_pluck, "grpc_completion_queue_pluck",
                 grpc_completion_queue* queue, void* tag, gpr_timespec deadline, void* reserved) {
  return Handed(real_queue_pluck()(queue, tag, deadline, reserved));
}

PHASOR_INTERPOSE(void, server_start, "grpc_server_start", grpc_server* server) {
  __tsan_release(&servers);
  real_server_start()(server);
}

PHASOR_INTERPOSE(void, executor_run,
                 "_ZN9grpc_core8Executor3RunEP12grpc_closureN4absl7debian36StatusENS_"
                 "12ExecutorTypeENS_15ExecutorJobTypeE",
                 Closure* closure, StatusArgument status, int executor, int job) {
  auto* const submitted = new Submitted{closure, *closure};
  closure->run = &RunSubmitted;
  closure->argument = submitted;
  __tsan_release(submitted);
  real_executor_run()(closure, status, executor, job);
}

PHASOR_INTERPOSE(void, call_on_cancel,
                 "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE",
                 void* call, grpc::internal::ServerReactor* reactor) {
  __tsan_acquire(UntilOnCancel(call));
  real_call_on_cancel()(call, new Canceled(call, reactor));
}

// The last of a call's callbacks to end gets here.
PHASOR_INTERPOSE(void, schedule_on_done, "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb",
                 void* call, bool run_inline) {
  __tsan_acquire(Outstanding(call));
  real_schedule_on_done()(call, run_inline);
}
