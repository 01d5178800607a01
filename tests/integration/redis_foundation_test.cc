// What Redis has to be for a queue, and a failover in which the old master lives on as a replica.

#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/queue/redis/permissions.h"
#include "common/queue/redis/redis_foundation.h"
#include "common/queue/redis/redis_queue.h"
#include "common/storage/redis/redis_store.h"
#include "common/testing/free_port.h"
#include "common/testing/redis_server.h"

namespace phasor::queue {
namespace {

using testing::HasSubstr;
using testing::Not;

SubmitRequest Request(int n) {
  SubmitRequest request;
  request.id = job::MakeJobId("secret", "tenant", std::to_string(n));
  request.model = "model-a";
  request.tenant = "tenant";
  request.fingerprint = request.id;
  request.spec = "spec";
  return request;
}

RedisOptions OptionsOf(const std::string& url) {
  RedisOptions options;
  options.address = ParseRedisUrl(url).value();
  return options;
}

RedisReply Ask(const std::string& url, const std::vector<std::string_view>& command) {
  return RedisConnection::Connect(OptionsOf(url)).value()->Call(command).value();
}

std::vector<std::string> WordsOf(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

StatusOr<Footing> CheckOf(const RedisOptions& options) {
  return RedisFoundation(options, [] { return int64_t{1}; }).Check();
}

// The one line of a page that makes a user, ready to be sent.
std::string LineOf(const std::string& page_name, const std::string& user) {
  const char* source = std::getenv("PHASOR_SOURCE_DIR");
  std::ifstream page(std::string(source == nullptr ? "." : source) + "/docs/" + page_name);
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("ACL SETUSER " + user + " ", 0) == 0) return line;
  }
  return "";
}
std::string LineOfTheDocs() { return LineOf("redis.md", "phasor"); }

class RedisUserTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string line = LineOfTheDocs();
    ASSERT_NE(line, "") << "docs/redis.md has no such line";
    Send(line);
    options_.address.user = "phasor";
    options_.address.password = "PASSWORD";
  }
  void Send(const std::string& line) {
    const std::vector<std::string> words = WordsOf(line);
    ASSERT_EQ(Ask(server_.url(), {words.begin(), words.end()}).text, "OK") << line;
  }

  RedisServer server_;
  RedisOptions options_ = OptionsOf(server_.url());
};

TEST_F(RedisUserTest, TheLineOfTheDocsIsAllThatIsNeeded) {
  const auto footing = CheckOf(options_);
  ASSERT_TRUE(footing.ok()) << footing.status();
  EXPECT_EQ(footing->job_loss, "");
  EXPECT_THAT(LineOfTheDocs(), HasSubstr(NeededRules("{phasor}:")));
}

TEST_F(RedisUserTest, EachRuleThatIsMissingIsNamed) {
  std::vector<std::pair<std::string, std::string>> cases = {
      {"resetkeys ~{other}:*", "~{phasor}:*"},
      {"resetchannels", "&{phasor}:ev"},
      {"resetchannels &{other}:ev", "&{phasor}:ev"}};
  for (const std::string& command : NeededCommands())
    cases.push_back({"-" + command, "+" + command});
  for (const auto& [taken, named] : cases) {
    Send(LineOfTheDocs());
    Send("ACL SETUSER phasor " + taken);
    const Status status = CheckOf(options_).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << taken << ": " << status;
    const std::string first = Message(status).substr(0, Message(status).find(". All that"));
    EXPECT_THAT(first + " ", HasSubstr(" " + named + " ")) << taken;
  }
}

// Of a user that loses a right later, a call that needs it tells.
TEST_F(RedisUserTest, WhatWasPermittedIsAskedAgainAfterAReconnectAndWhileItIsWrong) {
  int64_t connections = 1;
  RedisFoundation foundation(options_, [&] { return connections; });
  ASSERT_TRUE(foundation.Check().ok());
  Send("ACL SETUSER phasor -mset");
  EXPECT_TRUE(foundation.Check().ok());
  ++connections;
  EXPECT_EQ(foundation.Check().status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(foundation.Check().status().code(), StatusCode::kFailedPrecondition);
  Send(LineOfTheDocs());
  EXPECT_TRUE(foundation.Check().ok());
}

TEST_F(RedisUserTest, AWrongPasswordAndAnUnknownUserAreRefusedAndAbsenceIsNot) {
  options_.address.password = "geheim";
  const Status wrong = CheckOf(options_).status();
  EXPECT_EQ(wrong.code(), StatusCode::kFailedPrecondition) << wrong;
  EXPECT_THAT(Message(wrong), Not(HasSubstr("geheim")));
  options_.address.user = "nobody";
  EXPECT_EQ(CheckOf(options_).status().code(), StatusCode::kFailedPrecondition);
  options_ = OptionsOf(server_.url());
  options_.address.database = 1'000;
  EXPECT_EQ(CheckOf(options_).status().code(), StatusCode::kFailedPrecondition);
  server_.Kill();
  EXPECT_EQ(CheckOf(options_).status().code(), StatusCode::kUnavailable);
}

TEST_F(RedisUserTest, TheStoresLineOfTheDocsIsAllThatItNeeds) {
  Send(LineOf("storage.md", "phasor-store"));
  storage::RedisStoreOptions options;
  options.redis.address = options_.address;
  options.redis.address.user = "phasor-store";
  const auto store = storage::RedisStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  storage::TerminalRecord record;
  record.id = Request(1).id;
  EXPECT_TRUE((*store)->CreateTerminal(record).ok());
  EXPECT_TRUE((*store)->ReadTerminal(record.id).ok());
  EXPECT_TRUE((*store)->CreateOnce("identity", "x").ok());
  EXPECT_TRUE((*store)->Put("jobs/x", "y").ok());
  EXPECT_EQ(*(*store)->Get("jobs/x"), "y");
  Ask(server_.url(), {"DEL", "{phasor-store}:o:jobs/x"});  // as if it had expired
  EXPECT_TRUE((*store)->List("jobs", "", 10).ok());
  EXPECT_TRUE((*store)->Delete("jobs/x").ok());
}

TEST_F(RedisUserTest, AnEventThatCannotBeSentCostsNothing) {
  RedisQueue queue(options_);
  ASSERT_TRUE(queue.Submit(Request(1)).ok());
  Send("ACL SETUSER phasor resetchannels");
  ASSERT_TRUE(queue.Submit(Request(2)).ok());
  TakeRequest take;
  take.worker = take.nonce = "w";
  take.models = {Request(1).model};
  const auto grant = queue.Take(take);
  ASSERT_TRUE(grant.ok()) << grant.status();
  ASSERT_TRUE(grant->has_value());
  RenewRequest renew;
  renew.fence = (*grant)->fence;
  renew.units = 1;
  EXPECT_EQ(queue.Renew(renew).value(), OwnerAnswer::kOk);
  EXPECT_EQ(queue.Complete((*grant)->fence, "r").value(), OwnerAnswer::kOk);
  EXPECT_EQ(queue.Get((*grant)->fence.id, {})->state, State::kDone);
  EXPECT_TRUE(queue.Cancel(Request(2).id, {}).ok());
  Event event;
  event.id = Request(1).id;
  EXPECT_EQ(queue.Publish(event).code(), StatusCode::kUnavailable) << "it is said, not hidden";
}

TEST(RedisFoundationTest, APasswordThatIsMissingIsRefused) {
  const RedisServer server({"--requirepass", "geheim"});
  const Status status = CheckOf(OptionsOf(server.url())).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(Message(status), HasSubstr("password"));
}

TEST(RedisFoundationTest, SaysWhyJobsMayBeLost) {
  struct Case {
    std::vector<std::string> flags;
    std::string says;  // empty: nothing
  };
  for (const Case& c :
       {Case{{}, ""}, Case{{"--maxmemory", "100mb", "--maxmemory-policy", "noeviction"}, ""},
        Case{{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, "evicts"},
        Case{{"--appendonly", "no"}, "append-only"},
        Case{{"--appendonly", "no", "--save", "60 1"}, "append-only"}}) {
    const RedisServer server(c.flags);
    const auto footing = CheckOf(OptionsOf(server.url()));
    ASSERT_TRUE(footing.ok()) << footing.status();
    EXPECT_THAT(footing->job_loss, HasSubstr(c.says));
    EXPECT_EQ(footing->job_loss.empty(), c.says.empty());
  }
}

TEST(RedisFoundationTest, TheFirstToSayAFactIsBelieved) {
  const RedisServer server;
  RedisFoundation foundation(OptionsOf(server.url()), [] { return int64_t{1}; });
  EXPECT_EQ(*foundation.Agree("store", ""), "");
  EXPECT_EQ(*foundation.Agree("store", "a"), "a");
  EXPECT_EQ(*foundation.Agree("store", "b"), "a");
  EXPECT_EQ(*foundation.Agree("store", ""), "a");
  EXPECT_EQ(*foundation.Agree("secret", "b"), "b");
}

TEST(RedisFoundationTest, ChecksChangeNothing) {
  const RedisServer server;
  const RedisOptions options = OptionsOf(server.url());
  ASSERT_TRUE(CheckOf(options).ok());
  const int64_t keys = Ask(server.url(), {"DBSIZE"}).integer;
  const std::string before = Ask(server.url(), {"INFO", "persistence"}).text;
  const auto changes = [&] {
    const std::string info = Ask(server.url(), {"INFO", "persistence"}).text;
    const std::string name = "rdb_changes_since_last_save:";
    const size_t at = info.find(name) + name.size();
    return info.substr(at, info.find('\r', at) - at);
  };
  const std::string count = changes();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(CheckOf(options).ok());
  EXPECT_EQ(Ask(server.url(), {"DBSIZE"}).integer, keys);
  EXPECT_EQ(changes(), count) << "nothing goes to the append-only file";
}

// Two servers at one port of two addresses, and a name that leads to one of them.
class FailoverTest : public testing::Test {
 protected:
  std::vector<std::string> Flags(const std::string& host) const {
    return {"--port", std::to_string(port_),        "--bind", host, "--protected-mode",
            "no",     "--repl-diskless-sync-delay", "0"};
  }
  void SetUp() override {
    options_.address.host = "redis.example";
    options_.address.port = port_;
    options_.names = std::make_shared<redis::NameLookup>([this](const std::string&) {
      return StatusOr<std::vector<std::string>>(std::vector<std::string>{address_.load()});
    });
  }
  // B takes over from A, which lives on as its replica; the name follows.
  void FailOver() {
    Follow(b_, kHostA);
    ASSERT_EQ(Ask(b_.url(), {"REPLICAOF", "NO", "ONE"}).text, "OK");
    Follow(a_, kHostB);
    address_ = kHostB;
  }
  void Follow(const RedisServer& replica, const std::string& master) {
    ASSERT_EQ(Ask(replica.url(), {"REPLICAOF", master, std::to_string(port_)}).text, "OK");
    for (int i = 0; i < 2'000; ++i) {
      const std::string info = Ask(replica.url(), {"INFO", "replication"}).text;
      if (info.find("master_link_status:up") != std::string::npos) return;
      std::this_thread::sleep_for(Millis(10));
    }
    FAIL() << "no link to the master";
  }
  // Calls until it succeeds, and says how long it took in seconds.
  static double TimeUntil(const std::function<Status()>& call) {
    const SteadyTime start = std::chrono::steady_clock::now();
    Status status = call();
    while (!status.ok() && SecondsBetween(start, std::chrono::steady_clock::now()) < 20) {
      EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
      std::this_thread::sleep_for(Millis(5));
      status = call();
    }
    EXPECT_TRUE(status.ok()) << status;
    return SecondsBetween(start, std::chrono::steady_clock::now());
  }

  static constexpr const char* kHostA = "127.0.0.2";
  static constexpr const char* kHostB = "127.0.0.3";
  const int port_ = FreePort();
  std::atomic<const char*> address_{kHostA};
  RedisServer a_{Flags(kHostA)};
  RedisServer b_{Flags(kHostB)};
  RedisOptions options_;
};

TEST_F(FailoverTest, TheQueueFollowsTheNameFromAMasterThatLivesOnAsAReplica) {
  RedisQueue queue(options_);
  std::atomic<int> heard = 0;
  const auto subscription = queue.Subscribe([&](const Event&) { ++heard; });
  ASSERT_TRUE(queue.Submit(Request(1)).ok());
  FailOver();
  EXPECT_LT(TimeUntil([&] { return queue.Submit(Request(2)).status(); }), 5.0);
  EXPECT_EQ(queue.Submit(Request(1))->outcome, SubmitOutcome::kDuplicate);
  TakeRequest take;
  take.worker = take.nonce = "w";
  take.models = {Request(1).model};
  EXPECT_TRUE(queue.Take(take)->has_value());
  // Events of the new master are heard even when the old one is cut off from it.
  ASSERT_EQ(Ask(a_.url(), {"REPLICAOF", "127.0.0.4", "1"}).text, "OK");
  const int before = heard;
  Event event;
  event.id = Request(1).id;
  for (int i = 0; i < 2'000 && heard == before; ++i) {
    EXPECT_TRUE(queue.Publish(event).ok());
    std::this_thread::sleep_for(Millis(10));
  }
  EXPECT_GT(heard, before);
}

TEST_F(FailoverTest, TheStoreInRedisFollowsTheNameAsWell) {
  storage::RedisStoreOptions options;
  options.redis = options_;
  options.redis.prefix = "{phasor-store}:";
  const auto store = storage::RedisStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Put("k", "before").ok());
  FailOver();
  EXPECT_LT(TimeUntil([&] { return (*store)->Put("k", "after"); }), 5.0);
  EXPECT_EQ(*(*store)->Get("k"), "after");
}

TEST_F(FailoverTest, AServerThatStaysAReplicaIsUnavailableAndNamed) {
  RedisQueue queue(options_);
  ASSERT_TRUE(queue.Submit(Request(1)).ok());
  Follow(a_, kHostB);
  EXPECT_EQ(CheckOf(options_).status().code(), StatusCode::kUnavailable);
  for (int i = 0; i < 3; ++i) {
    const Status status = queue.Submit(Request(2)).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(Message(status), HasSubstr("read-only replica"));
  }
}

}  // namespace
}  // namespace phasor::queue
