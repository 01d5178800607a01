#include "common/redis/command_pipeline.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

namespace phasor::redis {
namespace {

constexpr size_t kMaxBatch = 512;
constexpr size_t kMaxBatchBytes = 4 << 20;
constexpr size_t kMaxBytesUnderWay = 4 * kMaxBatchBytes;
// A Redis whose replies have not come after this is far or slow: what waits follows.
constexpr Millis kGather{1};
constexpr size_t kMaxShared = 64;  // calls of one command: others wait while Redis runs it
constexpr int kPauseMillis = 50;   // between attempts to connect, and up to twice as much jitter

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

// A thread that waits for the replies to its calls.
struct CommandPipeline::Caller {
  size_t due = 0;      // replies
  bool leads = false;  // it is to send and receive for all
  bool gone = false;   // it waits no more
  CondVar woken;
};

struct CommandPipeline::Pending {
  std::string head;       // of a shared command, without the count of arguments; else empty
  size_t head_count = 0;  // arguments in it
  std::string command;    // or a call's own arguments
  size_t own_count = 0;
  std::shared_ptr<Caller> caller;
  // Once it is answered:
  bool answered = false;
  StatusOr<RedisReply> reply = Unavailable("not sent");
};

CommandPipeline::CommandPipeline(RedisOptions options)
    : options_(std::move(options)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      jitter_(std::random_device{}()) {
  if (wake_ < 0) std::abort();  // out of descriptors at start: nothing would work
}

CommandPipeline::~CommandPipeline() { ::close(wake_); }

StatusOr<RedisReply> CommandPipeline::Call(const std::vector<std::string_view>& arguments) {
  return std::move(CallAll({FormatCommand(arguments)}).front());
}

std::vector<StatusOr<RedisReply>> CommandPipeline::CallAll(std::vector<std::string> commands) {
  Batch calls;
  for (std::string& command : commands) {
    calls.push_back(std::make_shared<Pending>());
    calls.back()->command = std::move(command);
  }
  return Wait(calls);
}

std::vector<StatusOr<RedisReply>> CommandPipeline::CallShared(
    const std::vector<std::string_view>& head, const std::vector<std::vector<std::string>>& calls) {
  const std::string head_bytes = FormatArguments(head);
  Batch pending;
  for (const std::vector<std::string>& own : calls) {
    pending.push_back(std::make_shared<Pending>());
    pending.back()->head = head_bytes;
    pending.back()->head_count = head.size();
    pending.back()->command = FormatArguments({own.begin(), own.end()});
    pending.back()->own_count = own.size();
  }
  return Wait(pending);
}

std::vector<StatusOr<RedisReply>> CommandPipeline::Wait(Batch calls) {
  if (calls.empty()) return {};
  // The batch before this one may use up its time limit, too.
  const Millis limit = 2 * (options_.connect_timeout + options_.command_timeout);
  const SteadyTime deadline = Now() + limit;
  const auto caller = std::make_shared<Caller>();
  caller->due = calls.size();
  for (const auto& call : calls) call->caller = caller;

  MutexLock lock(&mu_);
  waiting_.insert(waiting_.end(), calls.begin(), calls.end());
  caller->leads = !led_;
  led_ = true;
  if (listening_) {
    listening_ = false;
    const uint64_t one = 1;
    if (::write(wake_, &one, sizeof(one)) != sizeof(one)) std::abort();
  }
  bool in_time = true;
  while (caller->due > 0 && !caller->leads && in_time) {
    in_time = caller->woken.WaitUntil(&mu_, deadline);
  }
  // Too late: what was not sent never is, and nobody passes the lead to who has left.
  if (!in_time) std::erase_if(waiting_, [&](const auto& call) { return call->caller == caller; });
  if (caller->leads) Lead(*caller, deadline);
  caller->gone = true;
  std::vector<StatusOr<RedisReply>> replies;
  for (const auto& call : calls) {
    if (call->answered) {
      replies.push_back(std::move(call->reply));
    } else {
      replies.push_back(Unavailable("no answer from Redis at " + ToString(options_.address) +
                                    " within " + std::to_string(limit.count()) + " ms"));
    }
  }
  return replies;
}

void CommandPipeline::Lead(Caller& caller, SteadyTime deadline) {
  // The lead may reach a caller whose time is over and whose calls wait no more: it has no reply to
  // hope for, and would otherwise serve the others for as long as they call.
  while (caller.due > 0) {
    const SteadyTime now = Now();
    if (now >= deadline) break;
    const Batch batch = MaySend(now) ? NextBatch() : Batch();
    // While replies may come any moment nobody needs to be heard.
    const bool is_near = !batch.empty() || now - sent_ < kGather;
    listening_ = !is_near && waiting_.empty();
    const bool interruptible = listening_;
    mu_.Unlock();
    Status status = batch.empty() ? OkStatus() : Send(batch);
    if (status.ok()) {
      status = Receive(is_near ? std::min(sent_ + kGather, deadline) : deadline, interruptible);
    }
    if (!status.ok()) Fail(status);
    mu_.Lock();
    listening_ = false;
  }
  caller.gone = true;
  std::erase_if(waiting_, [&](const auto& call) { return call->caller.get() == &caller; });
  PassOn();
}

void CommandPipeline::PassOn() {
  Caller* next = nullptr;
  for (auto message = under_way_.begin(); message != under_way_.end() && !next; ++message) {
    for (const auto& call : message->calls) {
      if (!call->caller->gone) next = call->caller.get();
    }
  }
  if (next == nullptr && !waiting_.empty()) next = waiting_.front()->caller.get();
  led_ = next != nullptr;
  if (led_) {
    next->leads = true;
    next->woken.Signal();
  } else if (!under_way_.empty()) {
    // All have given up on what was sent, and nobody is left to read the replies.
    under_way_.clear();
    calls_under_way_ = bytes_under_way_ = 0;
    Leave();
  }
}

bool CommandPipeline::MaySend(SteadyTime now) const {
  if (under_way_.empty()) return true;
  if (leaving_ || now - sent_ < kGather) return false;
  // Commands behind one that has waited for so long would have to be given up, and run all the
  // same.
  if (now - under_way_.front().sent >= options_.command_timeout) return false;
  return calls_under_way_ < kMaxUnderWay && bytes_under_way_ < kMaxBytesUnderWay;
}

CommandPipeline::Batch CommandPipeline::NextBatch() {
  Batch batch;
  size_t bytes = 0;
  const size_t room = std::min(kMaxBatch, kMaxUnderWay - calls_under_way_);
  while (!waiting_.empty() && batch.size() < room && bytes < kMaxBatchBytes) {
    bytes += waiting_.front()->command.size();
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void CommandPipeline::Answer(Pending& call, StatusOr<RedisReply> reply) {
  call.reply = std::move(reply);
  call.answered = true;
  if (--call.caller->due == 0) call.caller->woken.Signal();
}

Status CommandPipeline::EnsureConnected() {
  if (connection_ != nullptr && !connection_->IsClosedByServer()) return OkStatus();
  connection_.reset();
  if (Now() < next_attempt_) return last_failure_;
  StatusOr<std::unique_ptr<RedisConnection>> connected = RedisConnection::Connect(options_);
  if (connected.ok()) {
    connection_ = std::move(connected).value();
    ++connections_;
    return OkStatus();
  }
  Disconnect(Unavailable(phasor::Message(connected.status())));
  return last_failure_;
}

void CommandPipeline::Disconnect(Status why) {
  connection_.reset();
  last_failure_ = std::move(why);
  next_attempt_ = Now() + Millis(kPauseMillis + static_cast<int>(jitter_() % (2 * kPauseMillis)));
}

std::vector<CommandPipeline::Message> CommandPipeline::Merge(const Batch& batch) {
  std::vector<Message> messages;
  std::map<std::string_view, size_t> open;  // head -> a message that has room
  for (const auto& pending : batch) {
    const auto found = pending->head.empty() ? open.end() : open.find(pending->head);
    if (found != open.end() && messages[found->second].calls.size() < kMaxShared) {
      messages[found->second].calls.push_back(pending);
      continue;
    }
    if (!pending->head.empty()) open[pending->head] = messages.size();
    messages.push_back({.calls = {pending}, .command = {}});
  }
  for (Message& message : messages) {
    const Pending& first = *message.calls[0];
    if (!first.head.empty()) {
      const size_t count = first.head_count + message.calls.size() * first.own_count;
      message.command = "*" + std::to_string(count) + "\r\n" + first.head;
    }
    for (const auto& call : message.calls) message.command += call->command;
    message.bytes = message.command.size();
  }
  return messages;
}

Status CommandPipeline::Send(const Batch& batch) {
  std::vector<Message> messages = Merge(batch);
  const bool first = under_way_.empty();
  const size_t begin = under_way_.size();
  for (Message& message : messages) {
    bytes_under_way_ += message.bytes;
    under_way_.push_back(std::move(message));
  }
  calls_under_way_ += batch.size();
  if (first) RETURN_IF_ERROR(EnsureConnected());
  sent_ = Now();
  if (first) silent_since_ = sent_;
  for (size_t i = begin; i < under_way_.size(); ++i) {
    Message& message = under_way_[i];
    message.sent = sent_;
    RETURN_IF_ERROR(connection_->Append(std::exchange(message.command, {})));
  }
  return OkStatus();
}

Status CommandPipeline::Receive(SteadyTime end, bool interruptible) {
  const SteadyTime silent_since = std::max(silent_since_, connection_->heard());
  end = std::min(end, silent_since + options_.command_timeout);
  const auto left = std::chrono::ceil<Millis>(end - Now());
  ASSIGN_OR_RETURN(std::optional<RedisReply> reply,
                   connection_->ReadWithin(left, interruptible ? wake_ : -1));
  if (!reply) {
    uint64_t calls = 0;
    if (interruptible) (void)!::read(wake_, &calls, sizeof(calls));
    const bool silent =
        Now() - std::max(silent_since_, connection_->heard()) >= options_.command_timeout;
    return silent ? connection_->Silent() : OkStatus();
  }
  // Those that came with it spare the next caller a wait, and the one after that.
  while (reply) {
    Settle(*std::move(reply));
    if (under_way_.empty()) break;
    ASSIGN_OR_RETURN(reply, connection_->ReadBuffered());
  }
  if (under_way_.empty() && leaving_) Leave();
  return OkStatus();
}

void CommandPipeline::Settle(StatusOr<RedisReply> reply) {
  const Message message = std::move(under_way_.front());
  under_way_.pop_front();
  calls_under_way_ -= message.calls.size();
  bytes_under_way_ -= message.bytes;
  if (reply.ok() && IsWrongServer(*reply)) leaving_ = StatusOfError(reply->text);
  const bool one_each = reply.ok() && !message.calls[0]->head.empty() &&
                        reply->kind == RedisReply::Kind::kList &&
                        reply->list.size() == message.calls.size();
  MutexLock lock(&mu_);
  for (size_t i = 0; i < message.calls.size(); ++i) {
    if (one_each) {
      Answer(*message.calls[i], std::move(reply->list[i]));
    } else {
      Answer(*message.calls[i], reply);
    }
  }
}

void CommandPipeline::Fail(const Status& why) {
  while (!under_way_.empty()) Settle(why);
  Leave();
}

void CommandPipeline::Leave() {
  connection_.reset();
  if (!leaving_) return;
  ++departures_;
  Disconnect(*std::move(leaving_));
  leaving_.reset();
}

}  // namespace phasor::redis
