// A page of docs/ with tables that are made from the programs, each between two comments:
// "<!-- begin NAME -->" and "<!-- end NAME -->".
#pragma once

#include <string>

namespace phasor {

class Page {
 public:
  // `name` below docs/.
  explicit Page(const std::string& name);

  const std::string& text() const { return text_; }

  // Puts `table` between the marks of `name`; the test fails where the page has no such marks.
  void Put(const std::string& name, const std::string& table);

  // With PHASOR_WRITE_PAGES in the environment writes the page, without it the test fails where
  // what was put differs from what is there.
  void Check() const;

 private:
  std::string path_;
  std::string text_;
  std::string made_;
};

}  // namespace phasor
