#include "services/cli/commands/verify_command.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/rpc/picture_convert.h"
#include "common/rpc/spec_convert.h"
#include "services/cli/commands/compare.h"
#include "services/cli/commands/local_engine.h"
#include "services/cli/draw/from_picture.h"
#include "services/cli/text/job_text.h"

namespace phasor::cli {
namespace {

struct VerifyFlags {
  std::string file;
  std::string engine = "fleet";
  std::string model;
  std::string program;
};

class Verification {
 public:
  Verification(Session& session, const VerifyFlags& flags) : session_(session), flags_(flags) {}

  ExitCode Run() {
    const auto was = ReadPicture(flags_.file);
    if (!was.ok()) return session_.Report(was.status());
    const bool local = flags_.engine == "local";
    if (local && flags_.model.empty()) {
      return session_.Report(InvalidArgument("--engine local: needs --model, its directory"));
    }
    const auto file =
        local ? LocalEngine(flags_.program.empty() ? LocalEngine::DefaultProgram() : flags_.program,
                            flags_.model)
                    .Draw(AskedOf(was->info), was->info.weights)
              : DrawInFleet(was->info);
    if (!file.ok()) return canceled_ ? kCanceled : session_.Report(file.status());
    const auto is = ParsePicture(*file);
    if (!is.ok()) return session_.Report(Annotate(is.status(), "as drawn again"));
    const Comparison comparison = Compare(*was, *is);
    session_.out << (session_.json ? JsonOf(comparison) : TextOf(comparison)) << std::endl;
    return comparison.same_pixels ? kOk : kFailed;
  }

 private:
  StatusOr<std::string> DrawInFleet(const image::GenerationInfo& info) {
    v1::GenerateRequest request = rpc::RequestOf(AskedOf(info));
    request.set_model(flags_.model.empty() ? info.model : flags_.model);
    ASSIGN_OR_RETURN(const v1::Strategy strategy, rpc::StrategyOf(info.weights));
    request.set_strategy(strategy);
    request.set_idempotency_key(RandomToken());
    ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, session_.Connect());
    ASSIGN_OR_RETURN(const v1::SubmitResponse response, client->Submit(request));
    ProgressView view(session_.err, session_.progress_style());
    const auto ended = client->WatchSubmitted(
        request, response.job_id(), [&](const v1::WatchEvent& event) { view.Show(event); });
    view.Clear();
    if (!ended.ok()) {
      if (session_.interrupt.raised()) (void)client->Cancel(response.job_id());
      return ended.status();
    }
    if (ended->state() != v1::DONE) {
      canceled_ = ended->state() == v1::CANCELED;
      return MakeStatus(StatusCode::kUnknown, EndingText(*ended));
    }
    ASSIGN_OR_RETURN(std::vector<v1::ImageResult> pictures, client->Pictures(response.job_id()));
    if (pictures.empty()) return MakeStatus(StatusCode::kUnknown, "the job has no picture");
    return std::move(*pictures.front().mutable_data());
  }

  std::string TextOf(const Comparison& comparison) const {
    std::string text = flags_.file + ": ";
    if (comparison.same_bytes) return text + "the same bytes";
    if (comparison.same_pixels) {
      text += "the same pixels, other bytes";
    } else {
      text += std::to_string(comparison.other_pixels) + " of " + std::to_string(comparison.pixels) +
              " pixels differ, by at most " + std::to_string(comparison.largest) + " of 255";
    }
    for (const std::string& reason : comparison.reasons) text += "\n  " + reason;
    return text;
  }

  std::string JsonOf(const Comparison& comparison) const {
    const nlohmann::ordered_json json = {{"file", flags_.file},
                                         {"same_bytes", comparison.same_bytes},
                                         {"same_pixels", comparison.same_pixels},
                                         {"pixels", comparison.pixels},
                                         {"other_pixels", comparison.other_pixels},
                                         {"largest_difference", comparison.largest},
                                         {"reasons", comparison.reasons}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  Session& session_;
  const VerifyFlags& flags_;
  bool canceled_ = false;
};

}  // namespace

void AddVerify(flags::Command& line, Session& session, int* exit_code) {
  auto flags = std::make_shared<VerifyFlags>();
  flags::Command& command =
      line.AddCommand("verify", "draw a picture again as it says it was drawn, and compare");
  command.Text("file", &flags->file, "a PNG of Phasor's").Required();
  command.OneOf("--engine", {"fleet", "local"}, &flags->engine,
                "who draws: the fleet, or phasor-render on this machine");
  command.Text(
      "--model", &flags->model,
      "the model's name where the picture's is another; with --engine local its directory");
  command.Text("--render-program", &flags->program, "default: phasor-render beside this program");
  command.Runs([&session, flags, exit_code] { *exit_code = Verification(session, *flags).Run(); });
}

}  // namespace phasor::cli
