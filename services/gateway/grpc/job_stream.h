// The server's end of Watch and Generate: writes what a Watcher has, one message at a time, as
// fast as the client reads. No thread waits for a client; one that does not read is cut off
// (write_guard.h). With pictures, those of a DONE job go before the message of its end, in chunks.
//
// Thread-safe. gRPC calls the reactor; Follow, Send and End come from the work pool; chunks and the
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
#include "services/gateway/grpc/client_answer.h"
#include "services/gateway/grpc/write_guard.h"
#include "services/gateway/watch/picture_feed.h"
#include "services/gateway/watch/watcher.h"
#include "services/gateway/watch/watcher_hub.h"

namespace phasor::gateway {

// An item as a message of the stream.
v1::WatchEvent ToWatchEvent(Watcher::Item item);
v1::GenerateEvent ToGenerateEvent(Watcher::Item item);
v1::GenerateEvent ToPictureEvent(v1::ResultChunk chunk);

template <typename Message>
class JobStream final : public grpc::ServerWriteReactor<Message>,
                        public std::enable_shared_from_this<JobStream<Message>> {
 public:
  struct Convert {
    Message (*item)(Watcher::Item item) = nullptr;
    Message (*chunk)(v1::ResultChunk chunk) = nullptr;  // for streams with pictures
  };

  // For whom, what to tell besides states and progress, and whether the client knows the job is
  // there.
  struct Wishes {
    job::Caller caller = {};
    bool previews = false;
    bool pictures = false;
    bool accepted = false;
  };

  // Where news and pictures come from and what sees to it that they leave; all outlive the stream.
  struct Ends {
    WatcherHub* hub = nullptr;
    WriteGuard* guard = nullptr;
    PictureFeed::Parts pictures = {};
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
                                                       .accepted = wishes.accepted,
                                                       .wake =
                                                           [weak = this->weak_from_this()] {
                                                             if (const auto stream = weak.lock())
                                                               stream->Pump();
                                                           },
                                                       .caller = wishes.caller});
    {
      MutexLock lock(&mu_);
      if (closed_) return;
      watcher_ = watcher;
      pictures_ = wishes.pictures;
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
    std::shared_ptr<PictureFeed> fetch;
    {
      MutexLock lock(&mu_);
      if (writing_ || finished_ || fetching_) return;
      const bool loaded = LoadNext();
      if (!loaded && feed_ == nullptr) return;
      if (!loaded) {
        fetching_ = true;
        fetch = feed_;
      } else if (end_) {
        finished_ = true;
        finish = end_;
      } else {
        writing_ = true;
      }
    }
    if (fetch != nullptr) {
      fetch->Next(
          [self = this->shared_from_this()](StatusOr<std::optional<v1::ResultChunk>> chunk) {
            self->OnChunk(std::move(chunk));
          });
    } else if (finish) {
      this->Finish(AnswerOf(*finish));
    } else {
      ends_.guard->Begin(call_);
      this->StartWrite(&message_);
    }
  }

  void OnChunk(StatusOr<std::optional<v1::ResultChunk>> chunk) {
    {
      MutexLock lock(&mu_);
      fetching_ = false;
      if (chunk.ok() && chunk->has_value()) {
        first_.push_back(convert_.chunk(**std::move(chunk)));
      } else {
        feed_.reset();
        if (chunk.ok()) {
          first_.push_back(std::move(last_));
        } else if (!end_) {
          end_ = chunk.status();
        }
      }
    }
    Pump();
  }

  // Puts the next message into message_, or sets end_. False: nothing to do, or feed_ knows.
  bool LoadNext() REQUIRES_LOCK(mu_) {
    if (end_) return true;
    if (!first_.empty()) {
      message_ = std::move(first_.front());
      first_.pop_front();
      return true;
    }
    if (feed_ != nullptr) return false;
    std::optional<Watcher::Item> item = watcher_ != nullptr ? watcher_->Next() : std::nullopt;
    if (!item) return false;
    if (const Status* status = std::get_if<Status>(&*item)) {
      end_ = *status;
      on_disconnect_ = nullptr;
      return true;
    }
    const v1::Job* job = std::get_if<v1::Job>(&*item);
    const bool with_pictures = pictures_ && job != nullptr && job->state() == v1::DONE;
    if (with_pictures) {
      feed_ = std::make_shared<PictureFeed>(ends_.pictures, job->id(), std::nullopt,
                                            watcher_->caller());
      last_ = convert_.item(*std::move(item));
      return false;
    }
    message_ = convert_.item(*std::move(item));
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
  bool pictures_ GUARDED_BY(mu_) = false;
  std::shared_ptr<PictureFeed> feed_ GUARDED_BY(mu_);  // while there may be more chunks
  Message last_ GUARDED_BY(mu_);                       // goes behind them
  bool fetching_ GUARDED_BY(mu_) = false;
  std::optional<Status> end_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  bool finished_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
  Message message_;  // gRPC's while writing_
};

}  // namespace phasor::gateway
