#include "common/tls/client_context.h"

#include "common/tls/context.h"

namespace phasor::tls {

StatusOr<std::shared_ptr<ClientContext>> ClientContext::Open(const Files& files,
                                                             const Clock* clock) {
  ASSIGN_OR_RETURN(auto source, Source::Open(files, clock));
  std::shared_ptr<ClientContext> context(new ClientContext(std::move(source)));
  RETURN_IF_ERROR(context->Current().status());
  return context;
}

StatusOr<std::shared_ptr<SSL_CTX>> ClientContext::Current() {
  (void)source_->Look();  // whoever can't connect for it hears of it from the other side
  MutexLock lock(&mu_);
  const auto material = source_->current();
  if (context_ == nullptr || material != made_from_) {
    ASSIGN_OR_RETURN(ContextHandle made, MakeClientContext(*material));
    context_ = std::move(made);
    made_from_ = material;
  }
  return context_;
}

}  // namespace phasor::tls
