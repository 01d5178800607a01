#include "common/rpc/credential.h"

#include <algorithm>
#include <utility>

#include "common/base/file.h"

namespace phasor::rpc {
namespace {

using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;

constexpr size_t kMaxBytes = 16 * 1024;
constexpr Millis kLookEvery{1'000};

// Files that people write end with a line feed.
StatusOr<std::string> ReadWord(const std::string& path) {
  auto text = ReadFile(path, kMaxBytes);
  if (!text.ok()) return FailedPrecondition("the credential: " + Message(text.status()));
  const size_t begin = text->find_first_not_of(" \t\r\n");
  const size_t end = text->find_last_not_of(" \t\r\n");
  const std::string word =
      begin == std::string::npos ? std::string() : text->substr(begin, end + 1 - begin);
  const bool plain =
      std::all_of(word.begin(), word.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (word.empty() || !plain) {
    return FailedPrecondition("the credential: " + path + " holds no key and no token");
  }
  return word;
}

class Carrying final : public grpc::experimental::Interceptor {
 public:
  explicit Carrying(Credential* credential) : credential_(credential) {}
  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", credential_->Header());
    }
    methods->Proceed();
  }

 private:
  Credential* const credential_;
};

class Carriers final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit Carriers(std::shared_ptr<Credential> credential) : credential_(std::move(credential)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(ClientRpcInfo* /*info*/) override {
    return new Carrying(credential_.get());
  }

 private:
  const std::shared_ptr<Credential> credential_;
};

}  // namespace

Credential::Credential(std::string path, const Clock* clock, std::string word)
    : path_(std::move(path)), clock_(clock), word_(std::move(word)), looked_(clock->Steady()) {}

StatusOr<std::shared_ptr<Credential>> Credential::Open(const std::string& path,
                                                       const Clock* clock) {
  ASSIGN_OR_RETURN(std::string word, ReadWord(path));
  return std::shared_ptr<Credential>(new Credential(path, clock, std::move(word)));
}

std::string Credential::Header() {
  MutexLock lock(&mu_);
  if (clock_->Steady() - looked_ >= kLookEvery) {
    looked_ = clock_->Steady();
    if (auto word = ReadWord(path_); word.ok()) word_ = *std::move(word);
  }
  return "Bearer " + word_;
}

std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MakeCarrier(
    std::shared_ptr<Credential> credential) {
  return std::make_unique<Carriers>(std::move(credential));
}

}  // namespace phasor::rpc
