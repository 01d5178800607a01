// A real server and real clients, with certificates that are right and wrong.

#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/rpc/status_convert.h"
#include "common/tls/testing_folder.h"
#include "phasor/v1/models.grpc.pb.h"

namespace phasor::rpc {
namespace {

using testing::HasSubstr;
using tls::kHourMs;

class AnyModel final : public v1::Models::CallbackService {
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* call, const v1::GetModelRequest*,
                                v1::Model*) override {
    auto* reactor = call->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class TlsTest : public testing::Test {
 protected:
  // A server with these files, reloaded at will.
  void Serve(const tls::Files& files, bool client_certificates = false) {
    source_ = tls::Source::Open(files, &clock_).value();
    Start({.address = "127.0.0.1:0", .tls = source_, .client_certificates = client_certificates});
  }
  void Start(const ServerConfig& config) {
    auto started = Server::Start(config, {&service_});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
  }

  ClientTls Trusting(const tls::Files& files, const std::string& server_name = "") const {
    return *OpenClientTls({.files = files, .server_name = server_name}, &clock_);
  }
  ClientTls TrustingCa() const { return Trusting({.authorities = folder_.Path("ca.pem")}); }

  std::unique_ptr<v1::Models::Stub> Connect(const ClientTls& tls) const {
    return v1::Models::NewStub(*MakeChannel({.address = server_->address(), .tls = tls}));
  }
  static Status Get(v1::Models::Stub& stub) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::Model reply;
    return FromGrpc(stub.Get(&call, v1::GetModelRequest(), &reply));
  }
  // A call over a connection of its own.
  Status Get(const ClientTls& tls) const { return Get(*Connect(tls)); }

  // That a client with `tls` fails, and what it can tell its user.
  std::string Failure(const ClientTls& tls) const {
    EXPECT_EQ(Get(tls).code(), StatusCode::kUnavailable);
    return ExplainUnreachable(server_->address(), tls);
  }

  const SystemClock clock_;
  const tls::TestingFolder folder_;
  AnyModel service_;
  std::shared_ptr<tls::Source> source_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, AClientThatKnowsTheAuthorityIsServed) {
  Serve(folder_.Issue("server"));
  EXPECT_TRUE(Get(TrustingCa()).ok()) << Get(TrustingCa());
  EXPECT_EQ(ExplainUnreachable(server_->address(), TrustingCa()), "");
}

TEST_F(TlsTest, AServersCertificateThatIsWrongIsExplained) {
  const std::string who = "the certificate of ";
  Serve(folder_.Issue("server", {"example.com", "10.0.0.1"}, folder_.Around()));
  EXPECT_THAT(Failure(TrustingCa()), HasSubstr("is for example.com, 10.0.0.1, not for 127.0.0.1"));
  const tls::Files ca{.authorities = folder_.Path("ca.pem")};
  EXPECT_TRUE(Get(Trusting(ca, "example.com")).ok());
  const auto foreign = *tls::MakeAuthority("Somebody else", folder_.Around());
  folder_.Write("foreign.pem", foreign.certificate);
  EXPECT_THAT(Failure(Trusting({.authorities = folder_.Path("foreign.pem")}, "example.com")),
              HasSubstr("was issued by 'The test's authority', whom the authorities given here do "
                        "not include"));
}

// A server would not start with one; it may expire while it runs.
TEST_F(TlsTest, ACertificateThatExpiredOrIsNotYetValidIsExplained) {
  FakeClock then(folder_.now() - 3 * kHourMs);
  source_ =
      *tls::Source::Open(folder_.Issue("old", {"127.0.0.1"},
                                       {folder_.now() - 4 * kHourMs, folder_.now() - 2 * kHourMs}),
                         &then);
  Start({.address = "127.0.0.1:0", .tls = source_});
  EXPECT_THAT(Failure(TrustingCa()), HasSubstr("expired on 20"));
  FakeClock later(folder_.now() + 3 * kHourMs);
  folder_.Write("ca.pem", folder_.authority().certificate);
  auto files = folder_.Issue("early", {"127.0.0.1"},
                             {folder_.now() + 2 * kHourMs, folder_.now() + 4 * kHourMs});
  files.authorities.clear();
  source_ = *tls::Source::Open(files, &later);
  Start({.address = "127.0.0.1:0", .tls = source_});
  EXPECT_THAT(Failure(TrustingCa()), HasSubstr("is not valid before 20"));
}

TEST_F(TlsTest, ClientsWithoutAGoodCertificateStayOutside) {
  Serve(folder_.Issue("server"), true);
  EXPECT_TRUE(Get(Trusting(folder_.Issue("client"))).ok());
  EXPECT_THAT(Failure(TrustingCa()), HasSubstr("wants a certificate of the client"));
  const auto foreign = *tls::MakeAuthority("Somebody else", folder_.Around());
  EXPECT_THAT(
      Failure(Trusting(folder_.IssueBy(foreign, "stranger", {"stranger"}, folder_.Around()))),
      HasSubstr("refuses the client's certificate: it has expired, or its issuer"));
}

TEST_F(TlsTest, PlainClientsAndPlainServersAreToldSo) {
  Serve(folder_.Issue("server"));
  EXPECT_THAT(Failure(ClientTls()), HasSubstr(server_->address() + " speaks TLS"));
  Start({.address = "127.0.0.1:0"});
  EXPECT_TRUE(Get(ClientTls()).ok());
  EXPECT_EQ(ExplainUnreachable(server_->address(), ClientTls()), "");
  EXPECT_THAT(Failure(TrustingCa()), HasSubstr(server_->address() + " speaks no TLS"));
}

// The scheme decides for one address; a setting for all of them.
TEST_F(TlsTest, AnAddressSaysWhetherTlsIsSpokenThere) {
  EXPECT_TRUE(ParseDial("grpcs://a:1", false).tls);
  EXPECT_EQ(ParseDial("grpcs://a:1", false).address, "a:1");
  EXPECT_FALSE(ParseDial("grpc://a:1", true).tls);
  EXPECT_TRUE(ParseDial("unix:/a", true).tls);
  EXPECT_FALSE(ParseDial("a:1", false).tls);
}

// The server's own authority changes, so who is served shows which certificate it has.
TEST_F(TlsTest, ANewCertificateServesNewConnectionsAndDropsNoOldOne) {
  Serve(folder_.Issue("server"));
  const auto old_client = TrustingCa();
  const auto standing = Connect(old_client);
  ASSERT_TRUE(Get(*standing).ok());
  const auto next = *tls::MakeAuthority("The next authority", folder_.Around());
  folder_.Write("next.pem", next.certificate);
  const auto new_client = Trusting({.authorities = folder_.Path("next.pem")});
  ASSERT_FALSE(Get(new_client).ok());
  folder_.IssueBy(next, "server", {"127.0.0.1"}, folder_.Around());
  ASSERT_TRUE(source_->Look().ok());
  while (!Get(new_client).ok()) std::this_thread::yield();  // the test's time limit ends it
  EXPECT_FALSE(Get(old_client).ok());
  EXPECT_TRUE(Get(*standing).ok());
}

TEST_F(TlsTest, AClientsNewCertificateIsShownWithItsNextConnection) {
  Serve(folder_.Issue("server"), true);
  const auto files = folder_.Issue("client");
  const auto client = Trusting(files);
  ASSERT_TRUE(Get(client).ok());
  const std::string before = client.source->current()->chain;
  folder_.Issue("client");
  ASSERT_TRUE(client.source->Look().ok());
  EXPECT_NE(client.source->current()->chain, before);
  EXPECT_TRUE(Get(client).ok());
}

TEST_F(TlsTest, AServerThatAsksForCertificatesNeedsAuthorities) {
  tls::Files files = folder_.Issue("server");
  files.authorities.clear();
  const auto source = *tls::Source::Open(files, &clock_);
  const auto refused = Server::Start(
      {.address = "127.0.0.1:0", .tls = source, .client_certificates = true}, {&service_});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::rpc
