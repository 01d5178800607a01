// The server's end of Watch and Generate: writes what a Watcher has, one message at a time, as
// fast as the client reads. No thread waits for a client; one that does not read is cut off
// (write_guard.h).
//
// Thread-safe. gRPC calls the reactor; Follow, Send and End come from the work pool; the
// watcher's wake from anywhere. The stream keeps itself alive until gRPC is done with it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <grpcpp/support/server_callback.h>

#include "common/base/mutex.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/client_status.h"
#include "services/gateway/watcher.h"
#include "services/gateway/watcher_hub.h"
#include "services/gateway/write_guard.h"

namespace phasor::gateway {

// An item as a message of the stream.
v1::WatchEvent ToWatchEvent(Watcher::Item item);
v1::GenerateEvent ToGenerateEvent(Watcher::Item item);

template <typename Message>
class JobStream final : public grpc::ServerWriteReactor<Message>,
                        public std::enable_shared_from_this<JobStream<Message>> {
 public:
  using Convert = Message (*)(Watcher::Item item);

  // What to tell besides states and progress, and whether the client knows the job is there.
  struct Wishes {
    bool previews = false;
    bool pictures = false;
    bool accepted = false;
  };

  // Where news come from and what sees to it that they leave; both outlive the stream.
  struct Ends {
    WatcherHub* hub = nullptr;
    WriteGuard* guard = nullptr;
  };

  // Given to gRPC as the call's reactor, which keeps it alive as long as `call`.
  static std::shared_ptr<JobStream> Make(grpc::CallbackServerContext* call, const Ends& ends,
                                         Convert convert) {
    auto stream = std::make_shared<JobStream>(call, ends, convert);
    stream->self_ = stream;
    return stream;
  }

  JobStream(grpc::CallbackServerContext* call, const Ends& ends, Convert convert)
      : call_(call), ends_(ends), convert_(convert) {}

  // Called once if the client goes away before the stream's end. Set before the reactor is given
  // to gRPC.
  void OnDisconnect(std::function<void()> call) { on_disconnect_ = std::move(call); }

  // Sends `message` before anything of the watcher's.
  void Send(Message message) {
    {
      MutexLock lock(&mu_);
      first_.push_back(std::move(message));
    }
    Pump();
  }

  // Tells the client what happens to the job, to its end. Call at most once.
  void Follow(const job::JobId& id, const Wishes& wishes) {
    auto watcher =
        std::make_shared<Watcher>(id, Watcher::Options{.previews = wishes.previews,
                                                       .pictures = wishes.pictures,
                                                       .accepted = wishes.accepted,
                                                       .wake = [weak = this->weak_from_this()] {
                                                         if (const auto stream = weak.lock())
                                                           stream->Pump();
                                                       }});
    {
      MutexLock lock(&mu_);
      if (closed_) return;
      watcher_ = watcher;
    }
    ends_.hub->Add(watcher);
    // The client may have gone in between.
    MutexLock lock(&mu_);
    if (closed_) ends_.hub->Remove(watcher);
  }

  void End(const Status& status) {
    {
      MutexLock lock(&mu_);
      if (!end_) end_ = status;
      on_disconnect_ = nullptr;
    }
    Pump();
  }

  void OnWriteDone(bool ok) override {
    ends_.guard->End(call_);
    {
      MutexLock lock(&mu_);
      writing_ = false;
    }
    if (ok) {
      Pump();
    } else {
      Disconnect();
    }
  }

  void OnCancel() override { Disconnect(); }

  void OnDone() override {
    std::shared_ptr<Watcher> watcher;
    {
      MutexLock lock(&mu_);
      closed_ = true;
      watcher = std::move(watcher_);
    }
    if (watcher != nullptr) ends_.hub->Remove(watcher);
    self_.reset();  // may destroy this
  }

 private:
  // gRPC tells of a lost client by a failed write, by OnCancel, or by both.
  void Disconnect() {
    std::function<void()> call;
    {
      MutexLock lock(&mu_);
      if (!end_) end_ = Cancelled("the client went away");
      call = std::exchange(on_disconnect_, nullptr);
    }
    if (call) call();
    Pump();
  }

  // Starts the next write or the finish, if none is under way.
  void Pump() {
    std::optional<Status> finish;
    {
      MutexLock lock(&mu_);
      if (writing_ || finished_) return;
      if (!LoadNext()) return;
      if (end_) {
        finished_ = true;
        finish = end_;
      } else {
        writing_ = true;
      }
    }
    if (finish) {
      this->Finish(AnswerOf(*finish));
    } else {
      ends_.guard->Begin(call_);
      this->StartWrite(&message_);
    }
  }

  // Puts the next message into message_, or sets end_. False: nothing to do.
  bool LoadNext() REQUIRES_LOCK(mu_) {
    if (end_) return true;
    if (!first_.empty()) {
      message_ = std::move(first_.front());
      first_.pop_front();
      return true;
    }
    std::optional<Watcher::Item> item = watcher_ != nullptr ? watcher_->Next() : std::nullopt;
    if (!item) return false;
    if (const Status* status = std::get_if<Status>(&*item)) {
      end_ = *status;
      on_disconnect_ = nullptr;
    } else {
      message_ = convert_(*std::move(item));
    }
    return true;
  }

  grpc::CallbackServerContext* const call_;
  const Ends ends_;
  const Convert convert_;
  std::shared_ptr<JobStream> self_;

  Mutex mu_;
  std::function<void()> on_disconnect_ GUARDED_BY(mu_);
  std::shared_ptr<Watcher> watcher_ GUARDED_BY(mu_);
  std::deque<Message> first_ GUARDED_BY(mu_);
  std::optional<Status> end_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  bool finished_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
  Message message_;  // gRPC's while writing_
};

}  // namespace phasor::gateway
