#include "services/cli/draw/generate_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "services/cli/draw/request_flags.h"
#include "services/cli/text/job_text.h"
#include "services/cli/text/output_files.h"
#include "services/cli/text/sheet.h"

namespace phasor::cli {
namespace {

struct GenerateFlags {
  RequestFlags request;
  std::string output;
  std::string directory = ".";
  std::string sheet;
};

// One call of the command.
class Generation {
 public:
  Generation(Session& session, const GenerateFlags& flags)
      : session_(session), flags_(flags), files_(flags.output, flags.directory) {}

  ExitCode Run() {
    const auto requests = MakeRequests(flags_.request);
    if (!requests.ok()) return session_.Report(requests.status());
    if (!flags_.output.empty() && requests->size() > 1) {
      return session_.Report(InvalidArgument(
          "--output names one job's pictures; use --output-dir or --sheet for several prompts"));
    }
    auto client = session_.Connect();
    if (!client.ok()) return session_.Report(client.status());
    client_ = *std::move(client);
    ExitCode worst = kOk;
    if (const Status submitted = SubmitAll(*requests); !submitted.ok()) {
      worst = session_.Report(submitted);
      CancelOpen();
      return worst;
    }
    for (size_t i = 0; i < jobs_.size(); ++i) {
      const ExitCode code = Finish(i);
      if (worst == kOk) worst = code;
      if (session_.interrupt.raised()) break;
    }
    CancelOpen();
    if (worst == kOk && !flags_.sheet.empty()) worst = WriteSheet();
    return worst;
  }

 private:
  struct Job {
    std::string id;
    v1::GenerateRequest request;
    bool ended = false;
  };

  Status SubmitAll(const std::vector<v1::GenerateRequest>& requests) {
    for (const v1::GenerateRequest& request : requests) {
      ASSIGN_OR_RETURN(const v1::SubmitResponse response, client_->Submit(request));
      jobs_.push_back({response.job_id(), request});
    }
    return OkStatus();
  }

  // Follows one job to its end and writes its pictures.
  ExitCode Finish(size_t index) {
    Job& job = jobs_[index];
    ProgressView view(session_.err, session_.progress_style());
    if (jobs_.size() > 1) {
      view.Label(std::to_string(index + 1) + "/" + std::to_string(jobs_.size()) + " ");
    }
    const auto ended = client_->WatchSubmitted(
        job.request, job.id, [&](const v1::WatchEvent& event) { view.Show(event); });
    view.Clear();
    if (!ended.ok()) return session_.Report(ended.status());
    job.ended = true;
    if (ended->state() != v1::DONE) {
      if (session_.json) {
        session_.out << JobJson(*ended, {}) << std::endl;
      } else {
        session_.err << "phasor: " << EndingText(*ended) << std::endl;
      }
      return ExitCodeOf(*ended);
    }
    const Status written = WritePictures(job, *ended);
    return written.ok() ? kOk : session_.Report(written);
  }

  Status WritePictures(const Job& job, const v1::Job& ended) {
    ASSIGN_OR_RETURN(std::vector<v1::ImageResult> pictures, client_->Pictures(job.id));
    std::vector<std::string> names;
    // With a sheet the single pictures are only written where they were asked for.
    if (flags_.sheet.empty() || !flags_.output.empty()) {
      ASSIGN_OR_RETURN(names, files_.Write(job.request.prompt(), pictures));
    }
    if (!session_.json && !session_.quiet) {
      for (const std::string& warning : ended.result().warnings()) {
        session_.err << "phasor: " << warning << std::endl;
      }
      for (const v1::Degradation& one : ended.result().degradations()) {
        session_.err << "phasor: " << DegradationText(one) << std::endl;
      }
    }
    if (session_.json) {
      session_.out << JobJson(ended, names) << std::endl;
    } else {
      for (const std::string& name : names) session_.out << name << std::endl;
    }
    if (!flags_.sheet.empty()) {
      for (v1::ImageResult& picture : pictures) {
        tiles_.push_back(std::move(*picture.mutable_data()));
      }
    }
    return OkStatus();
  }

  ExitCode WriteSheet() {
    const auto sheet = MakeSheet(tiles_);
    if (!sheet.ok()) return session_.Report(sheet.status());
    if (const Status written = WriteOutput(flags_.sheet, *sheet); !written.ok()) {
      return session_.Report(written);
    }
    if (!session_.json) session_.out << flags_.sheet << std::endl;
    return kOk;
  }

  void CancelOpen() {
    for (const Job& job : jobs_) {
      if (job.ended) continue;
      const auto canceled = client_->Cancel(job.id);
      if (session_.json || session_.quiet) continue;
      session_.err << "phasor: "
                   << (canceled.ok() ? EndingText(*canceled)
                                     : "job " + job.id + " could not be cancelled and goes on")
                   << std::endl;
    }
  }

  Session& session_;
  const GenerateFlags& flags_;
  OutputFiles files_;
  std::unique_ptr<Client> client_;
  std::vector<Job> jobs_;
  std::vector<std::string> tiles_;  // PNGs for the sheet
};

}  // namespace

void AddGenerate(flags::Command& line, Session& session, int* exit_code) {
  auto flags = std::make_shared<GenerateFlags>();
  flags::Command& command = line.AddCommand("generate", "draw pictures and wait for them");
  AddRequestFlags(command, &flags->request);
  command.Text("-o,--output", &flags->output,
               "the picture's file; of several, with -1, -2 ... before the ending");
  command.Text("--output-dir", &flags->directory,
               "where pictures go that are named after their prompt and seed");
  command.Text("--sheet", &flags->sheet, "one PNG with all pictures side by side");
  command.Runs([&session, flags, exit_code] { *exit_code = Generation(session, *flags).Run(); });
}

}  // namespace phasor::cli
