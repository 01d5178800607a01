#include "services/cli/link/session.h"

#include <nlohmann/json.hpp>

#include "services/cli/text/job_text.h"

namespace phasor::cli {

ExitCode Session::Report(const Status& status) const {
  const std::string text = ErrorText(status, AddressText(FindAddresses(addresses, environment)));
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
