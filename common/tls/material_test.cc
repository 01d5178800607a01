#include "common/tls/material.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/tls/testing_folder.h"

namespace phasor::tls {
namespace {

using testing::HasSubstr;

TEST(MaterialTest, ReadsACertificateItsKeyAndTheAuthorities) {
  const TestingFolder folder;
  const auto read = ReadMaterial(folder.Issue("own"), folder.now());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->authorities, folder.authority().certificate);
  EXPECT_EQ(read->expires_ms / 1000, (folder.now() + kHourMs) / 1000);
}

TEST(MaterialTest, AClientMayHaveNothingButAuthorities) {
  const TestingFolder folder;
  const auto read = ReadMaterial({.authorities = folder.Path("ca.pem")}, folder.now());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->chain.empty());
}

struct Wrong {
  std::string what;
  std::function<Files(const TestingFolder&)> files;
  std::vector<std::string> words;
};

std::vector<Wrong> WrongOnes() {
  return {
      {"no such certificate",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.certificate = folder.Path("none.pem");
         return files;
       },
       {"the certificate: ", "none.pem"}},
      {"no such key",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.key = folder.Path("none.key");
         return files;
       },
       {"the key: ", "none.key"}},
      {"no such authorities",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.authorities = folder.Path("none-ca.pem");
         return files;
       },
       {"the authorities: ", "none-ca.pem"}},
      {"expired",
       [](const TestingFolder& folder) {
         return folder.Issue("own", {"a"}, {folder.now() - 2 * kHourMs, folder.now() - kHourMs});
       },
       {"own.pem expired on 20", " UTC"}},
      {"not yet valid",
       [](const TestingFolder& folder) {
         return folder.Issue("own", {"a"}, {folder.now() + kHourMs, folder.now() + 2 * kHourMs});
       },
       {"own.pem is not valid before 20", "; it is 20"}},
      {"another's key",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.key = folder.Issue("other").key;
         return files;
       },
       {"the key in ", "other.key does not fit the certificate in ", "own.pem"}},
      {"no certificate in the file",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.certificate = files.key;
         return files;
       },
       {"own.key holds no certificate in PEM form"}},
      {"no key in the file",
       [](const TestingFolder& folder) {
         Files files = folder.Issue("own");
         files.key = files.certificate;
         return files;
       },
       {"own.pem holds no private key in PEM form"}},
      {"a chain out of order",
       [](const TestingFolder& folder) {
         const Files files = folder.Issue("own");
         const Files other = folder.Issue("other");
         folder.Write("own.pem",
                      *ReadFile(files.certificate, 10'000) + *ReadFile(other.certificate, 10'000));
         return files;
       },
       {"certificate 1 in ", "own.pem was not issued by the one after it"}},
      {"authorities that have all expired",
       [](const TestingFolder& folder) {
         const Files files = folder.Issue("own");
         folder.Write("ca.pem",
                      MakeAuthority("Old", {folder.now() - 2 * kHourMs, folder.now() - kHourMs})
                          ->certificate);
         return files;
       },
       {"the authorities in ", "ca.pem expired on "}},
  };
}

TEST(MaterialTest, EachWayToBeWrongHasItsSentence) {
  for (const Wrong& wrong : WrongOnes()) {
    const TestingFolder folder;
    const Status status = ReadMaterial(wrong.files(folder), folder.now()).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << wrong.what;
    for (const std::string& word : wrong.words) {
      EXPECT_THAT(Message(status), HasSubstr(word)) << wrong.what;
    }
  }
}

TEST(MaterialTest, ACertificateAndItsKeyComeTogether) {
  const TestingFolder folder;
  Files files = folder.Issue("own");
  files.key.clear();
  EXPECT_EQ(ReadMaterial(files, folder.now()).status().code(), StatusCode::kInvalidArgument);
  files = folder.Issue("own");
  files.certificate.clear();
  EXPECT_EQ(ReadMaterial(files, folder.now()).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::tls
