// Defines a function of a library that the thread sanitizer does not see into, under the library's
// own name. The program exports it, so that the library finds it through its PLT before its own.
// Calls may come from any thread. Files that use this are not instrumented themselves: they run
// under the library's locks and counters, which the sanitizer does not see.
#pragma once

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdlib>

// The function that the loader would have taken. Ends the program where there is none.
template <typename Function>
Function* NextInLoadOrder(const char* symbol) {
  void* const found = dlsym(RTLD_NEXT, symbol);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

// Opens the definition of `name` as `symbol`; real_<name>() is the library's own.
#define PHASOR_INTERPOSE(result, name, symbol, ...)                                           \
  extern "C" __attribute__((visibility("default"))) result name(__VA_ARGS__) __asm__(symbol); \
  static auto* real_##name() {                                                                \
    static auto* const real = NextInLoadOrder<decltype(name)>(symbol);                        \
    return real;                                                                              \
  }                                                                                           \
  result name(__VA_ARGS__)
