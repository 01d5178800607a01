#include "common/config/setting_list.h"

#include <gtest/gtest.h>

namespace phasor::config {
namespace {

TEST(SettingListTest, EachKindIsARowWithItsDefault) {
  SettingList list;
  std::string text = "info";
  std::vector<std::string> texts = {"a", "b"};
  bool flag = false;
  int whole = 32;
  std::optional<int64_t> count;
  double number = 0.5;
  Millis grace(2'500);
  list.Text({"log_level", "debug | info"}, &text);
  list.Texts({"gateways", "whom to tell"}, &texts);
  list.Flag({"insecure", "open", "PHASOR_OPEN"}, &flag);
  list.Whole({.key = "work_threads", .help = "threads", .also = "THREADS"}, 1, 64, &whole);
  list.Count({"quota", "at most"}, 0, 9, &count);
  list.Number({"share", "of all"}, 0, 1, &number);
  list.Seconds({"grace", "after the signal"}, 0, 3600, &grace);
  EXPECT_EQ(TableOf(list.rows()),
            "| Flag | Variable | Takes | Default | |\n"
            "|---|---|---|---|---|\n"
            "| `--log-level` | `PHASOR_LOG_LEVEL` | text | `info` | debug \\| info |\n"
            "| `--gateways` | `PHASOR_GATEWAYS` | a list | `a,b` | whom to tell |\n"
            "| `--insecure` | `PHASOR_OPEN` | true or false | `false` | open |\n"
            "| `--work-threads` | `PHASOR_WORK_THREADS`, `THREADS` | 1 to 64 | `32` | threads |\n"
            "| `--quota` | `PHASOR_QUOTA` | 0 to 9 | | at most |\n"
            "| `--share` | `PHASOR_SHARE` | 0 to 1 | `0.5` | of all |\n"
            "| `--grace` | `PHASOR_GRACE` | seconds, 0 to 3600 | `2.5` | after the signal |\n");
}

TEST(SettingListTest, TimesAreInTheirUnit) {
  SettingList list;
  Millis hours(7'200'000);
  Millis millis(20);
  list.Hours({"keep", ""}, 0, 24, &hours);
  list.Duration({"step", ""}, Millis(1), 0, 60'000, &millis);
  EXPECT_EQ(list.rows()[0].takes, "hours, 0 to 24");
  EXPECT_EQ(list.rows()[0].initial, "2");
  EXPECT_EQ(list.rows()[1].takes, "milliseconds, 0 to 60000");
}

}  // namespace
}  // namespace phasor::config
