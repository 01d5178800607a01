#include "engine/runtime/guard.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>
#include <string>
#include <string_view>

#include <c10/util/Exception.h>

#include "engine/api/device_lost.h"
#include "engine/cuda/cuda_error.h"

namespace phasor::engine {
namespace {

std::string TextOf(const c10::Error& error) { return error.what_without_backtrace(); }

// Failed allocations that arrive as plain c10::Errors: those of LibTorch's CPU allocator, of cuDNN,
// of cuBLAS and of the CUDA runtime.
bool IsAllocationFailure(const std::string& text) {
  constexpr std::string_view kTexts[] = {"can't allocate memory", "ould not allocate memory"};
  if (ClassifyCudaError(0, text) == CudaError::kMemory) return true;
  return std::any_of(std::begin(kTexts), std::end(kTexts), [&](std::string_view failure) {
    return text.find(failure) != std::string::npos;
  });
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
    if (ClassifyCudaError(0, text) == CudaError::kLost) return DeviceLost(text);
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
