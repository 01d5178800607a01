// A PictureSpec as the fields of messages and back, by the parameters' names
// (common/picture/parameters.h): GenerateRequest, a card's defaults and limits, a model's page.
// Takes hostile input. Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/field_violation.h"
#include "common/picture/asked.h"
#include "common/picture/limits.h"
#include "phasor/v1/job_spec.pb.h"
#include "phasor/v1/models.pb.h"
#include "phasor/v1/types.pb.h"

namespace phasor::rpc {

// What the request says of the picture. A field without presence is given when it is not empty. A
// number that no PictureSpec holds is a violation; bytes of pictures are looked at by nobody here:
// the parameter counts as given, and its value is empty.
picture::Asked AskedOf(const v1::GenerateRequest& request, std::vector<FieldViolation>* violations);

// A request for what is asked, and nothing else.
v1::GenerateRequest RequestOf(const picture::Asked& asked);

// Every parameter that something draws is set, of the others what is not at its default. Pictures
// have no bytes here: ImagesOf has their places.
void Put(const PictureSpec& spec, v1::GenerateRequest* request);

// The stored pictures of a spec by their place in it: "init_image", "controls[0].image".
std::map<std::string, v1::StoredImage> ImagesOf(const PictureSpec& spec);
void TakeImages(const google::protobuf::Map<std::string, v1::StoredImage>& images,
                PictureSpec* spec);

// The fields of the same names.
void Put(const PictureSpec& defaults, v1::ModelDefaults* message);
void Put(const picture::Limits& limits, v1::ModelLimits* message);
// What a model takes, parameter by parameter.
void Put(const PictureSpec& defaults, const picture::Limits& limits, v1::Model* model);

}  // namespace phasor::rpc
