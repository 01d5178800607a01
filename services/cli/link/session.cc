#include "services/cli/link/session.h"

#include <nlohmann/json.hpp>

#include "common/rpc/client_tls.h"
#include "common/trace/context.h"
#include "services/cli/text/job_text.h"

namespace phasor::cli {
namespace {

// Reading the files of the link needs the time; no command lives so long that it would matter.
const SystemClock kClock;

StatusOr<Link> FindLink(const Session& session) {
  const Environment& environment = session.environment;
  Link link{.addresses = FindAddresses(session.addresses, environment),
            .admin_addresses = FindAdminAddresses(session.admin_addresses, environment)};
  // As other programs of the command line take part in a trace.
  link.trace_parent =
      trace::TraceParent(trace::ParseTraceParent(environment("TRACEPARENT").value_or("")));
  rpc::ClientTlsWords words = session.tls;
  if (words.files.empty() && !words.tls) {
    words.files.authorities = FindAuthorities(session.addresses, environment);
  }
  ASSIGN_OR_RETURN(link.tls, rpc::OpenClientTls(words, &kClock));
  const std::string file = FindCredential(session.credential_file, session.addresses, environment);
  if (!file.empty()) {
    ASSIGN_OR_RETURN(link.credential, rpc::Credential::Open(file, &kClock));
  }
  return link;
}

// What is wrong with a certificate is not in gRPC's answer.
std::string Text(const Session& session, const Status& status) {
  const auto link = FindLink(session);
  if (!link.ok()) return ErrorText(status, "");
  const std::string text = ErrorText(status, AddressText(link->addresses));
  if (status.code() != StatusCode::kUnavailable) return text;
  for (const std::vector<std::string>& addresses : {link->addresses, link->admin_addresses}) {
    for (const std::string& address : addresses) {
      const std::string why = rpc::ExplainUnreachable(address, link->tls);
      if (!why.empty()) return text + "\n" + why;
    }
  }
  return text;
}

}  // namespace

StatusOr<std::unique_ptr<Client>> Session::Connect() const {
  ASSIGN_OR_RETURN(const Link link, FindLink(*this));
  return Client::Make(link, interrupt);
}

ExitCode Session::Report(const Status& status) const {
  const std::string text = Text(*this, status);
  if (json) {
    const nlohmann::json error = {
        {"error", {{"code", absl::StatusCodeToString(status.code())}, {"message", text}}}};
    out << error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  } else {
    err << "phasor: " << text << std::endl;
  }
  return ExitCodeOf(status);
}

}  // namespace phasor::cli
