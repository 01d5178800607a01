#include "common/tls/server_context.h"

#include <utility>

#include "common/tls/context.h"

namespace phasor::tls {
namespace {

constexpr Millis kEvery{1'000};

}  // namespace

StatusOr<std::shared_ptr<ServerContext>> ServerContext::Open(const Files& files, const Clock* clock,
                                                             Trouble on_trouble) {
  if (files.certificate.empty()) {
    return InvalidArgument("authorities of clients need a certificate and its key beside them");
  }
  ASSIGN_OR_RETURN(auto source, Source::Open(files, clock));
  std::shared_ptr<ServerContext> context(
      new ServerContext(std::move(source), clock, std::move(on_trouble)));
  MutexLock lock(&context->mu_);
  context->looked_ = clock->Steady();
  RETURN_IF_ERROR(context->Renew());
  return context;
}

std::shared_ptr<SSL_CTX> ServerContext::Current() {
  MutexLock lock(&mu_);
  if (clock_->Steady() - looked_ >= kEvery) {
    looked_ = clock_->Steady();
    const Status now = Look();
    if (!now.ok() && now != told_) on_trouble_(now);
    told_ = now;
  }
  return context_;
}

Status ServerContext::Look() {
  RETURN_IF_ERROR(source_->Look());
  return Renew();
}

Status ServerContext::Renew() {
  const auto material = source_->current();
  if (context_ != nullptr && material == made_from_) return OkStatus();
  ASSIGN_OR_RETURN(ContextHandle made, MakeServerContext(*material));
  context_ = std::move(made);
  made_from_ = material;
  return OkStatus();
}

}  // namespace phasor::tls
