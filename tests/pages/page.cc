#include "tests/pages/page.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace phasor {

Page::Page(const std::string& name)
    : path_(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/docs/" + name) {
  std::ifstream file(path_);
  std::stringstream text;
  text << file.rdbuf();
  text_ = made_ = text.str();
}

void Page::Put(const std::string& name, const std::string& table) {
  const std::string begin = "<!-- begin " + name + " -->\n";
  const std::string end = "<!-- end " + name + " -->";
  const size_t from = made_.find(begin);
  const size_t to = made_.find(end);
  if (from == std::string::npos || to == std::string::npos) {
    ADD_FAILURE() << path_ << " has no marks for " << name;
    return;
  }
  made_ = made_.substr(0, from + begin.size()) + table + made_.substr(to);
}

void Page::Check() const {
  if (std::getenv("PHASOR_WRITE_PAGES") != nullptr) {
    std::ofstream(path_) << made_;
    return;
  }
  EXPECT_EQ(text_, made_) << "run this test with PHASOR_WRITE_PAGES=1";
}

}  // namespace phasor
