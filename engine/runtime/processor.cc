#include "engine/runtime/processor.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <ATen/Version.h>

namespace phasor::engine {
namespace {

// Ascending: each has what those before it have.
constexpr std::array<std::string_view, 5> kLevels = {"none", "sse41", "avx", "avx2", "avx512_core"};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// A variable of oneDNN, which has two names; empty if neither is set.
std::string OneDnnSetting(const std::string& name) {
  for (const char* prefix : {"ONEDNN_", "DNNL_"}) {
    const char* const value = std::getenv((prefix + name).c_str());
    if (value != nullptr && *value != '\0') return LowerCase(value);
  }
  return "";
}

#if defined(__x86_64__)

struct CpuId {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  CpuId(unsigned int leaf, unsigned int subleaf) {
    __get_cpuid_count(leaf, subleaf, &a, &b, &c, &d);
  }
};

std::string_view HardwareLevel() {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512) return kLevels[4];
  if (__builtin_cpu_supports("avx2")) return kLevels[3];
  if (__builtin_cpu_supports("avx")) return kLevels[2];
  return __builtin_cpu_supports("sse4.1") ? kLevels[1] : kLevels[0];
}

// "GenuineIntel 6/207". Steppings share their kernels.
std::string Model() {
  const CpuId vendor(0, 0);
  char name[12];
  std::memcpy(name, &vendor.b, 4);
  std::memcpy(name + 4, &vendor.d, 4);
  std::memcpy(name + 8, &vendor.c, 4);
  const CpuId version(1, 0);
  const unsigned int base = version.a >> 8 & 0xF;
  const unsigned int family = base == 0xF ? base + (version.a >> 20 & 0xFF) : base;
  const unsigned int model = (version.a >> 4 & 0xF) | (version.a >> 12 & 0xF0);
  return std::string(name, sizeof name) + " " + std::to_string(family) + "/" +
         std::to_string(model);
}

// "48K:2 2048K:2 107520K:128": each data cache and how many threads share it.
std::string Caches() {
  constexpr unsigned int kIntelLeaf = 4, kAmdLeaf = 0x8000001D, kAmdFeatures = 0x80000001;
  constexpr unsigned int kTopologyExtensions = 1u << 22, kInstructions = 2, kMostCaches = 8;
  const bool amd = (CpuId(kAmdFeatures, 0).c & kTopologyExtensions) != 0;
  std::string text;
  for (unsigned int i = 0; i < kMostCaches; ++i) {
    const CpuId cache(amd ? kAmdLeaf : kIntelLeaf, i);
    const unsigned int type = cache.a & 0x1F;
    if (type == 0) break;
    if (type == kInstructions) continue;
    const uint64_t bytes = uint64_t{(cache.b >> 22) + 1} * ((cache.b >> 12 & 0x3FF) + 1) *
                           ((cache.b & 0xFFF) + 1) * (uint64_t{cache.c} + 1);
    const unsigned int sharing = (cache.a >> 14 & 0xFFF) + 1;
    if (!text.empty()) text += ' ';
    text += std::to_string(bytes >> 10) + "K:" + std::to_string(sharing);
  }
  return text;
}

bool HasFma() { return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2"); }

// Intel's manual, CPUID leaf 7: AMX-BF16 and AVX512-FP16 in EDX, AVX512-BF16 in EAX of subleaf 1.
bool HasAmxBf16() { return (CpuId(7, 0).d >> 22 & 1) != 0; }
bool HasAvx512Fp16() { return (CpuId(7, 0).d >> 23 & 1) != 0; }
bool HasAvx512Bf16() { return (CpuId(7, 1).a >> 5 & 1) != 0; }

#else

std::string_view HardwareLevel() { return kLevels[0]; }
std::string Model() { return "not x86-64"; }
std::string Caches() { return ""; }
bool HasFma() { return false; }
bool HasAmxBf16() { return false; }
bool HasAvx512Fp16() { return false; }
bool HasAvx512Bf16() { return false; }

#endif

std::string OneDnn() {
  std::string text(OneDnnLevel(HardwareLevel(), OneDnnSetting("MAX_CPU_ISA")));
  // These act on fp32, too: narrower vectors, and products in a shorter type.
  for (const char* name : {"CPU_ISA_HINTS", "DEFAULT_FPMATH_MODE"}) {
    const std::string value = OneDnnSetting(name);
    if (!value.empty() && value != "no_hints" && value != "strict") text += "+" + value;
  }
  return text;
}

// " amx_bf16 avx512_bf16 limit avx512_core_amx"
std::string ShortTypes() {
  std::string text;
  if (HasAmxBf16()) text += " amx_bf16";
  if (HasAvx512Bf16()) text += " avx512_bf16";
  if (HasAvx512Fp16()) text += " avx512_fp16";
  const std::string limit = OneDnnSetting("MAX_CPU_ISA");
  return limit.empty() ? text : text + " limit " + limit;
}

// MKL's own answers, which it chooses its kernels by: of BLAS, of the vector functions, and the
// branch of MKL_CBWR. It publishes no function for them, but LibTorch's library exports these.
std::string Mkl() {
  const auto number = [](const char* name, int argument) {
    using Function = int (*)(int);
    const auto function = reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
    return function == nullptr ? std::string("?") : std::to_string(function(argument));
  };
  constexpr int kEverySetting = ~0;
  return number("mkl_serv_cpu_detect", 0) + "/" + number("mkl_vml_serv_cpu_detect", 0) + "/" +
         number("mkl_serv_cbwr_get", kEverySetting);
}

}  // namespace

std::string_view OneDnnLevel(std::string_view hardware, std::string_view limit) {
  const std::string lower = LowerCase(limit);
  std::string_view named = lower;
  if (named.starts_with("avx512") || named.starts_with("avx10")) named = kLevels.back();
  if (named.starts_with("avx2")) named = "avx2";
  const auto allowed = std::find(kLevels.begin() + 1, kLevels.end(), named);
  const auto own = std::find(kLevels.begin(), kLevels.end(), hardware);
  if (own == kLevels.end()) return kLevels.front();
  return allowed == kLevels.end() ? *own : *std::min(own, allowed);
}

bool Multiplies(at::ScalarType dtype) {
  if (dtype == at::kFloat) return true;
  if (at::get_cpu_capability().find("AVX512") == std::string::npos) return false;
  const std::string limit = OneDnnSetting("MAX_CPU_ISA");
  const auto allows = [&](std::initializer_list<const char*> names) {
    return limit.empty() || std::any_of(names.begin(), names.end(), [&](const char* name) {
             return limit.find(name) != std::string::npos;
           });
  };
  if (dtype == at::kBFloat16) {
    return (HasAvx512Bf16() || HasAmxBf16()) && allows({"bf16", "fp16", "amx", "avx10", "default"});
  }
  return dtype == at::kHalf && HasAvx512Fp16() && allows({"fp16", "amx", "avx10", "default"});
}

std::string DescribeProcessor(at::ScalarType dtype) {
  return Model() + ", caches " + Caches() + ", ATen " + at::get_cpu_capability() + ", oneDNN " +
         OneDnn() + ", MKL " + Mkl() + ", libm " + ::gnu_get_libc_version() +
         (HasFma() ? " fma" : "") + (dtype == at::kFloat ? "" : ShortTypes());
}

}  // namespace phasor::engine
