#include "common/rpc/address.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::rpc {
namespace {

using testing::HasSubstr;

TEST(AddressTest, TakesThreeForms) {
  for (const char* good : {"127.0.0.1:50051", "localhost:0", "[::1]:443", "0.0.0.0:65535",
                           "unix:/run/phasor.sock", "unix:relative.sock"}) {
    EXPECT_TRUE(CheckAddress(good).ok()) << good;
  }
}

TEST(AddressTest, RefusesOtherFormsWithASentence) {
  for (const std::string& bad :
       {std::string(""), std::string("50051"), std::string(":50051"), std::string("host:"),
        std::string("host:http"), std::string("host:65536"), std::string("host:-1"),
        std::string("::1:443"), std::string("http://host:1"), std::string("a b:1"),
        std::string("unix:"), "unix:/" + std::string(200, 'x')}) {
    const Status status = CheckAddress(bad);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(Message(status), HasSubstr("'" + bad + "'"));
  }
}

class UnixAddressTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/phasor_address_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    path_ = directory_ + "/s.sock";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  int Listen() {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path, path_.c_str());
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    EXPECT_EQ(listen(fd, 4), 0);
    return fd;
  }
  std::string directory_;
  std::string path_;
};

TEST_F(UnixAddressTest, ALiveSocketIsInUseAndAStaleOneIsNot) {
  const int fd = Listen();
  const Status taken = CheckBindable("unix:" + path_);
  EXPECT_EQ(taken.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(taken), HasSubstr("in use"));
  close(fd);
  EXPECT_TRUE(CheckBindable("unix:" + path_).ok());
}

TEST_F(UnixAddressTest, AFileOfAnotherKindIsNeverReplaced) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Message(CheckBindable("unix:" + path_)), HasSubstr("another kind"));
}

TEST_F(UnixAddressTest, AMissingDirectoryIsNamed) {
  const Status status = CheckBindable("unix:" + directory_ + "/none/s.sock");
  EXPECT_THAT(Message(status), HasSubstr(directory_ + "/none: No such file"));
}

TEST(TcpAddressTest, AForeignHostIsNotBindable) {
  const Status status = CheckBindable("192.0.2.1:0");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("192.0.2.1:0"));
}

}  // namespace
}  // namespace phasor::rpc
