#include "common/access/decide.h"

namespace phasor::access {

Refusal Judge(const Identity* identity, std::string_view method) {
  const MethodRule* rule = RuleOf(method);
  if (rule != nullptr && rule->roles.empty()) return Refusal::kNone;
  // Who is nobody learns nothing of which methods there are.
  if (identity == nullptr) return Refusal::kNoIdentity;
  if (rule == nullptr) return Refusal::kUnknownMethod;
  return identity->roles.Meets(rule->roles) ? Refusal::kNone : Refusal::kRole;
}

Status ToStatus(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return OkStatus();
    case Refusal::kNoIdentity:
      return MakeStatus(StatusCode::kUnauthenticated, kNoCredential);
    case Refusal::kUnknownMethod:
    case Refusal::kRole:
      break;
  }
  return MakeStatus(StatusCode::kPermissionDenied, "this credential has no role for this call");
}

}  // namespace phasor::access
