#include "common/http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/page_server.h"

namespace phasor::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpClientTest, SendsMethodHeadersAndBodyAndGivesStatusAndBodyWhateverTheyAre) {
  PageServer server;
  server.Serve("404 Not Found", "no such page");
  Client client;
  const auto reply = client.Send(
      {.method = "POST", .url = server.url(), .headers = {"X-Word: one"}, .body = "the body"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->body, "no such page");
  EXPECT_THAT(server.last_request(), HasSubstr("POST /keys HTTP/1.1"));
  EXPECT_THAT(server.last_request(), HasSubstr("X-Word: one"));
  EXPECT_THAT(server.last_request(), HasSubstr("\r\n\r\nthe body"));
}

TEST(HttpClientTest, TakesNoMoreOfAReplyThanIsAllowed) {
  PageServer server;
  server.Serve("200 OK", std::string(101, 'x'));
  Client client;
  const auto reply = client.Send({.url = server.url(), .max_reply_bytes = 100});
  EXPECT_EQ(reply.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(reply.status().message(), HasSubstr("more than 100 bytes"));
  EXPECT_EQ(client.Send({.url = server.url(), .max_reply_bytes = 101})->body.size(), 101u);
}

TEST(HttpClientTest, NamesTheServerThatGaveNoAnswerAndNothingElseOfTheUrl) {
  PageServer server;
  server.Serve("", "");
  Client client;
  const auto reply = client.Send({.url = server.url() + "?token=secret"});
  EXPECT_EQ(reply.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("no answer from http://127.0.0.1:"));
  EXPECT_THAT(reply.status().message(), Not(HasSubstr("secret")));
  EXPECT_EQ(client.Send({.url = "file:///etc/passwd"}).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace phasor::http
