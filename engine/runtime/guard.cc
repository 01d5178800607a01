#include "engine/runtime/guard.h"

#include <exception>
#include <new>
#include <string>

#include <c10/util/Exception.h>

namespace phasor::engine {
namespace {

std::string TextOf(const c10::Error& error) { return error.what_without_backtrace(); }

// LibTorch's CPU allocator reports a failed allocation as a plain c10::Error.
bool IsAllocationFailure(const std::string& text) {
  return text.find("can't allocate memory") != std::string::npos ||
         text.find("ould not allocate memory") != std::string::npos;
}

}  // namespace

Status StatusOfException() {
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    return ResourceExhausted("out of memory: " + TextOf(error));
  } catch (const c10::ValueError& error) {
    return InvalidArgument(TextOf(error));
  } catch (const c10::TypeError& error) {
    return InvalidArgument(TextOf(error));
  } catch (const c10::IndexError& error) {
    return InvalidArgument(TextOf(error));
  } catch (const c10::Error& error) {
    const std::string text = TextOf(error);
    if (IsAllocationFailure(text)) return ResourceExhausted("out of memory: " + text);
    return Internal(text);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("out of memory on the host");
  } catch (const std::exception& error) {
    return Internal(error.what());
  } catch (...) {
    return Internal("an exception of unknown type");
  }
}

}  // namespace phasor::engine
