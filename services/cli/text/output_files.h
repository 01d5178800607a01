// Where pictures go on this machine: names, and files under them. Nothing that stands is
// overwritten unless its name was given. One thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "phasor/v1/types.pb.h"

namespace phasor::cli {

// A file name out of a prompt: "A red circle!" -> "a-red-circle". Letters of other scripts stay. At
// most 60 bytes; never empty.
std::string Slug(const std::string& prompt);

class OutputFiles {
 public:
  // `output`: the file that was asked for, with -1, -2 ... before the ending if a job has several
  // pictures. Without one pictures are named after prompt and seed, in `directory`.
  OutputFiles(std::string output, std::string directory)
      : output_(std::move(output)), directory_(std::move(directory)) {}

  // Writes a job's pictures and returns their names. A name of our own making that is in use, in
  // this call or on the disk with other bytes, gets -2, -3 ... at its end. An error is UNKNOWN,
  // with path and reason.
  StatusOr<std::vector<std::string>> Write(const std::string& prompt,
                                           const std::vector<v1::ImageResult>& pictures);

 private:
  std::string FreeName(const std::string& prompt, const v1::ImageResult& picture);

  const std::string output_;
  const std::string directory_;
  std::set<std::string> used_;
};

// As WriteUserFile, making the folders before it.
Status WriteOutput(const std::string& path, const std::string& bytes);

}  // namespace phasor::cli
