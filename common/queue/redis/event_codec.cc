#include "common/queue/redis/event_codec.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace phasor::queue {
namespace {

constexpr double kMostSeconds = 1e9;

// Takes fields off the front of a line; remembers the first that was wrong.
class FieldReader {
 public:
  explicit FieldReader(std::string_view line) : rest_(line) {}

  std::string_view Text() {
    const size_t space = rest_.find(' ');
    const std::string_view field = rest_.substr(0, space);
    if (field.empty()) ok_ = false;
    rest_.remove_prefix(space == std::string_view::npos ? rest_.size() : space + 1);
    return field;
  }

  template <typename Integer>
  Integer Number() {
    const std::string_view field = Text();
    Integer value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size() || value < 0) ok_ = false;
    return value;
  }

  bool ok() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Takes one event off the front.
StatusOr<Event> TakeEvent(std::string_view* bytes) {
  const size_t line = bytes->find('\n');
  if (line == std::string_view::npos) return DataLoss("event: no end of line");
  FieldReader fields(bytes->substr(0, line));
  bytes->remove_prefix(line + 1);

  if (fields.Text() != "1") return DataLoss("event: unknown version");
  Event event;
  event.id = std::string(fields.Text());
  event.version = fields.Number<int64_t>();
  event.epoch = fields.Number<int64_t>();
  const std::optional<State> state = job::ParseState(fields.Text());
  const std::string_view phase_name = fields.Text();
  const std::optional<Phase> phase = job::ParsePhase(phase_name == "-" ? "" : phase_name);
  event.step = fields.Number<int>();
  event.steps = fields.Number<int>();
  event.seconds_left = static_cast<double>(fields.Number<int64_t>()) / 1000;
  event.preview_image = fields.Number<int>();
  const auto worker = fields.Number<size_t>();
  const auto preview = fields.Number<size_t>();
  if (!fields.ok() || !state || !phase || !job::IsValidJobId(event.id)) {
    return DataLoss("event: a field is malformed");
  }
  if (worker > bytes->size() || preview > bytes->size() - worker) {
    return DataLoss("event: its length is not what it says");
  }
  event.state = *state;
  event.phase = *phase;
  event.worker = std::string(bytes->substr(0, worker));
  event.preview = std::string(bytes->substr(worker, preview));
  bytes->remove_prefix(worker + preview);
  return event;
}

}  // namespace

std::string EncodeEvent(const Event& event) {
  const double seconds = std::isfinite(event.seconds_left)
                             ? std::min(std::max(event.seconds_left, 0.0), kMostSeconds)
                             : 0.0;
  const auto millis = static_cast<int64_t>(std::llround(seconds * 1000));
  const std::string_view phase = job::ToString(event.phase);
  std::string bytes = "1 " + event.id + " " + std::to_string(event.version) + " " +
                      std::to_string(event.epoch) + " " + std::string(job::ToString(event.state)) +
                      " " + std::string(phase.empty() ? "-" : phase);
  for (const int64_t number :
       {int64_t{event.step}, int64_t{event.steps}, millis, int64_t{event.preview_image},
        static_cast<int64_t>(event.worker.size()), static_cast<int64_t>(event.preview.size())}) {
    bytes += " " + std::to_string(number);
  }
  return bytes + "\n" + event.worker + event.preview;
}

StatusOr<std::vector<Event>> DecodeEvents(std::string_view bytes) {
  if (bytes.size() > kMaxEventBytes) return DataLoss("event: too large");
  std::vector<Event> events;
  do {
    ASSIGN_OR_RETURN(Event event, TakeEvent(&bytes));
    events.push_back(std::move(event));
  } while (!bytes.empty());
  return events;
}

}  // namespace phasor::queue
