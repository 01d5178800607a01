// What the commands print: errors, jobs, models, limits and statistics as sentences and tables for
// people and as JSON (the proto's own names) for programs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "common/base/status.h"
#include "phasor/v1/admin.pb.h"
#include "phasor/v1/images.pb.h"
#include "phasor/v1/models.pb.h"

namespace phasor::cli {

// One line of JSON with the proto's field names; unset fields are left out.
std::string Json(const google::protobuf::Message& message);

// The same of a finished job, with the files that its pictures were written to.
std::string JobJson(const v1::Job& job, const std::vector<std::string>& files);

std::string JobText(const v1::Job& job);
// "memory did not suffice in denoise, unit 3: went on with CPU_OFFLOAD"
std::string DegradationText(const v1::Degradation& degradation);
// One line of `phasor jobs`, and the line above them.
std::string JobRow(const v1::Job& job);
std::string JobHeader();

std::string ModelText(const v1::Model& model);
std::string StatsText(const v1::StatsResponse& stats);
std::string LimitsText(const v1::QueueLimits& limits);
std::string SweepText(const v1::StoreSweepReport& report);
// One worker of `phasor worker list`: a line, and what is known of its memory.
std::string WorkerText(const v1::WorkerStats& worker);

// What to tell a person about an error: a sentence, a line for each field that is wrong, when to
// try again, how to start a fleet. `address`: of the gateway.
std::string ErrorText(const Status& status, const std::string& address);
// Of a job that ended without a picture.
std::string EndingText(const v1::Job& job);

}  // namespace phasor::cli
