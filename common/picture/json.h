// A PictureSpec as JSON, each parameter under its own name: for reports, pictures' own text and
// fingerprints, and back. Stateless functions, thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/picture/asked.h"

namespace phasor::picture {

// All parameters that something draws, in the table's order; of those that are planned what is not
// at its default. Text stands as it is, even where it is no UTF-8; doubles read back exactly when
// dumped.
nlohmann::ordered_json ToJson(const PictureSpec& spec);

// What a fingerprint is made of: the parameters that decide bytes and differ from their fixed
// defaults, so that a parameter which is added later changes no fingerprint of a picture that does
// not use it. Texts stand as their SHA-256, so the result can be dumped whatever they hold.
nlohmann::json FingerprintJson(const PictureSpec& spec);

// The parameters that `object` names. INVALID_ARGUMENT names the field, also one that there is none
// of: what this version does not know may change what is drawn.
StatusOr<Asked> FromJson(const nlohmann::json& object);

}  // namespace phasor::picture
