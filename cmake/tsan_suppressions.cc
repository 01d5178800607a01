// What the thread sanitizer leaves out. No line takes an access of our code for being below or
// above a library on the stack.
//
// called_from_lib: of a library that is not instrumented the sanitizer sees what reaches libc
// (memcpy, free, operator delete) and not the atomics and locks that order it, a reference count
// above all. Such half views are left out where the library itself makes the call; what our code
// copies or frees is watched as ever.

extern "C" const char* __tsan_default_suppressions() {
  return
      // Blocks, slices and calls that gRPC hands from thread to thread under its own locks.
      "called_from_lib:libgpr.so\n"
      "called_from_lib:libgrpc.so\n"
      "called_from_lib:libgrpc++.so\n"
      "called_from_lib:libupb.so\n"
      // A connection with TLS, which gRPC hands from thread to thread as well.
      "called_from_lib:libssl.so\n"
      "called_from_lib:libcrypto.so\n"
      // The payload of a Status and the tree of a Cord, counted by references.
      "called_from_lib:libabsl_status.so\n"
      "called_from_lib:libabsl_cord.so\n"
      "called_from_lib:libabsl_cord_internal.so\n"
      // Read by gRPC in messages of errors and in addresses. Our code joins strings without it.
      "called_from_lib:libabsl_strings.so\n"
      // The zones' mutex, made by whichever thread is the first to ask.
      "called_from_lib:libabsl_time_zone.so\n"
      // Its pool of random numbers, likewise; gRPC alone asks.
      "called_from_lib:libabsl_random_internal_pool_urbg.so\n"
      // Copies the text of an error out of a slice that gRPC filled on a thread of its own.
      "race:grpc::internal::CallOpClientRecvStatus::FinishOp\n"
      // Looks up an interceptor of a call whose context ends on another thread, after it by a count
      // of references; the top of the stack alone, so that what interceptors do is watched as ever.
      "race_top:grpc::experimental::ServerRpcInfo::RunInterceptor\n"
      // The graph that abseil looks for deadlocks in, under a spin lock of its own.
      "called_from_lib:libabsl_graphcycles_internal.so\n"
      "race:absl::debian3::synchronization_internal::GraphCycles\n";
}
