// What all commands share: the streams they print on, the interrupt, the global flags, and how an
// error becomes text and an exit code. One thread.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/cli/exit_code.h"
#include "services/cli/link/address.h"
#include "services/cli/link/client.h"
#include "services/cli/link/interrupt.h"
#include "services/cli/text/progress_view.h"

namespace phasor::cli {

struct Session {
  std::ostream& out;      // results: what a script reads
  std::ostream& err;      // progress and errors
  bool terminal = false;  // `err` is one
  Environment environment;
  Interrupt& interrupt;

  // Global flags.
  std::vector<std::string> addresses;  // as given: perhaps empty, perhaps with commas
  std::vector<std::string> admin_addresses = {};
  rpc::ClientTlsWords tls = {};
  std::string credential_file = {};
  bool json = false;
  bool quiet = false;

  StatusOr<std::unique_ptr<Client>> Connect() const;

  ProgressView::Style progress_style() const {
    if (quiet || json) return ProgressView::Style::kNone;
    return terminal ? ProgressView::Style::kBar : ProgressView::Style::kLines;
  }

  // Of a certificate that is wrong for a gateway which does not answer, a sentence says what is.
  // Prints the error and says how to exit.
  ExitCode Report(const Status& status) const;
};

}  // namespace phasor::cli
