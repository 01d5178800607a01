// Tokens of pages as tenants see them. The queue's own are numbers that all tenants' jobs share, so
// two of them would tell how much others submit: here they are encrypted for one tenant, and what
// was made up or comes from another is no token. The same number always gives the same text. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::gateway {

// `secret` is the server's. Empty stays empty: there is no page.
std::string SealPage(std::string_view secret, std::string_view tenant, std::string_view page);
// INVALID_ARGUMENT for what SealPage did not make for the tenant.
StatusOr<std::string> OpenPage(std::string_view secret, std::string_view tenant,
                               std::string_view sealed);

}  // namespace phasor::gateway
