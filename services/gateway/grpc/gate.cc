#include "services/gateway/grpc/gate.h"

#include <atomic>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "common/rpc/status_convert.h"
#include "services/gateway/grpc/caller_of.h"

namespace phasor::gateway {
namespace {

using access::Judged;
using access::Refusal;
using access::Trouble;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// All methods of these packages are raw: their messages are byte buffers.
constexpr std::string_view kRawServices = "/phasor.v1.";
constexpr size_t kMaxMethod = 200;  // of a name in the audit log; clients choose it

// The header; two of them are as good as none.
std::string Authorization(const Metadata& metadata) {
  const auto [begin, end] = metadata.equal_range("authorization");
  if (begin == end) return "";
  if (std::next(begin) != end) return "ambiguous";
  return {begin->second.data(), begin->second.size()};
}

std::string ReasonOf(const Judged& judged, Refusal refusal) {
  if (refusal == Refusal::kNoIdentity) return std::string(ToString(judged.trouble));
  return refusal == Refusal::kRole ? "role" : "method";
}

// What it says of itself where nothing proves it.
std::string WhoIs(const Judged& judged) {
  if (judged.identity != nullptr) return judged.identity->name;
  return judged.key_id.empty() ? "" : "key " + judged.key_id;
}

// Bytes that no message begins with.
grpc::ByteBuffer NoMessage() {
  const grpc::Slice slice("\xff\xff\xff\xff");
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

class Gate::Call final : public grpc::experimental::Interceptor {
 public:
  Call(Gate* gate, ServerRpcInfo* info)
      : gate_(gate),
        info_(info),
        method_(info->method() == nullptr ? "" : info->method()),
        raw_(method_.starts_with(kRawServices)) {}

  ~Call() override {
    if (is_open_) gate_->Close(this);
    if (is_audited_) gate_->Audit(Entry("called", outcome_));
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      Admit(methods->GetRecvInitialMetadata());
    }
    if (refused_) Withhold(methods);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const auto code = static_cast<StatusCode>(methods->GetSendStatus().error_code());
      outcome_ = absl::StatusCodeToString(code);
    }
    methods->Proceed();
  }

  const Judged& judged() const { return judged_; }
  AuditEntry Entry(const std::string& event, const std::string& outcome) const {
    return {.event = event,
            .who = WhoIs(judged_),
            .tenant = judged_.identity != nullptr ? judged_.identity->tenant : "",
            .from = from_,
            .method = method_.substr(0, kMaxMethod),
            .outcome = outcome};
  }

  // Also while the call goes on; the caller holds a reference to the core's call.
  void MarkRefused() { refused_ = true; }
  grpc_call* core() const { return info_->server_context()->c_call(); }
  static void End(grpc_call* core, const Status& status) {
    const std::string text = Message(status);
    grpc_call_cancel_with_status(core, static_cast<grpc_status_code>(status.code()), text.c_str(),
                                 nullptr);
  }

 private:
  void Admit(Metadata* metadata) {
    const std::string header = Authorization(*metadata);
    metadata->erase("authorization");
    metadata->erase(kCallerHeader);
    const access::Authenticator& authenticator = *gate_->parts_.authenticator;
    job::Caller caller;
    if (authenticator.required()) {
      judged_ = authenticator.Check(header);
      const Refusal refusal = access::Judge(judged_.identity.get(), method_);
      if (refusal != Refusal::kNone) return Refuse(refusal);
      if (judged_.identity != nullptr) Note(&caller);
    }
    caller_ = ToHeader(caller);
    metadata->emplace(kCallerHeader, caller_);
    if (judged_.identity != nullptr && info_->type() != ServerRpcInfo::Type::UNARY) {
      is_open_ = true;
      gate_->Open(this);
    }
  }

  void Note(job::Caller* caller) {
    *caller = access::CallerOf(*judged_.identity);
    is_audited_ = judged_.identity->roles.Has(access::Role::kOperate);
    if (is_audited_ || info_->type() != ServerRpcInfo::Type::UNARY) {
      from_ = info_->server_context()->peer();
    }
  }

  void Refuse(Refusal refusal) {
    status_ = access::ToStatus(refusal);
    if (refusal == Refusal::kNoIdentity && judged_.trouble == Trouble::kUnavailable) {
      status_ = Unavailable("credentials can't be checked now; call again");
    }
    from_ = info_->server_context()->peer();
    gate_->NoteRefusal(Entry("refused", ReasonOf(judged_, refusal)));
    refused_ = true;
    End(core(), status_);
  }

  void Withhold(InterceptorBatchMethods* methods) {
    if (raw_ && methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      if (void* const message = methods->GetRecvMessage(); message != nullptr) {
        *static_cast<grpc::ByteBuffer*>(message) = NoMessage();
      }
    }
    // For whoever counts calls by their code; the client has it already.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      methods->ModifySendStatus(rpc::ToGrpc(status_));
    }
  }

  Gate* const gate_;
  ServerRpcInfo* const info_;
  const std::string method_;
  const bool raw_;
  Judged judged_;
  std::string caller_;
  std::string from_;
  std::string outcome_ = "CANCELLED";  // a call that ends without a status: its client went away
  bool is_open_ = false;
  bool is_audited_ = false;
  std::atomic<bool> refused_ = false;
  // What it is refused with, once it is.
  Status status_ = access::ToStatus(Refusal::kNoIdentity);
};

class Gate::Calls final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Calls(Gate* gate) : gate_(gate) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new Call(gate_, info);
  }

 private:
  Gate* const gate_;
};

Gate::Gate(const Parts& parts)
    : parts_(parts),
      refusals_(parts.metrics->Counters(
          "refused_calls_total",
          "Calls that were refused for their credential, and streams ended for it.", {"reason"})) {}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> Gate::MakeInterceptor() {
  return std::make_unique<Calls>(this);
}

void Gate::Open(Call* call) {
  MutexLock lock(&mu_);
  streams_.insert(call);
}

void Gate::Close(Call* call) {
  MutexLock lock(&mu_);
  streams_.erase(call);
}

void Gate::NoteRefusal(const AuditEntry& entry) {
  refusals_.With({entry.outcome}).Increment();
  Audit(entry);
}

void Gate::Audit(const AuditEntry& entry) {
  if (parts_.audit != nullptr) parts_.audit->Write(entry);
}

void Gate::Tick() {
  struct Ended {
    grpc_call* core;
    AuditEntry entry;
  };
  std::vector<Ended> ended;
  {
    MutexLock lock(&mu_);
    std::erase_if(streams_, [&](Call* call) {
      if (parts_.authenticator->Holds(call->judged())) return false;
      call->MarkRefused();
      grpc_call_ref(call->core());
      ended.push_back({call->core(), call->Entry("ended", "revoked")});
      return true;  // each is ended once
    });
  }
  // Without the lock: gRPC may run the calls' ends here.
  for (const Ended& each : ended) {
    NoteRefusal(each.entry);
    Call::End(each.core, access::ToStatus(Refusal::kNoIdentity));
    grpc_call_unref(each.core);
  }
}

}  // namespace phasor::gateway
