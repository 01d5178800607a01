#include "bench/fleet_sim/orders.h"

#include <sstream>
#include <string>

#include "bench/fleet_sim/fleet.h"

namespace phasor::bench {

Status Obey(const FleetLoad& load, std::istream& in, std::ostream& out) {
  ASSIGN_OR_RETURN(const queue::RedisOptions options, OptionsOf(load));
  Fleet fleet(load, options);
  RETURN_IF_ERROR(fleet.Start());
  out << "ready" << std::endl;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string order;
    Work work;
    words >> order;
    if (order == "begin") {
      fleet.tally().Reset();
    } else if (order == "report") {
      out << fleet.tally().Json() << std::endl;
    } else if (order == "work" && words >> work.jobs_per_second >> work.job_seconds) {
      fleet.SetWork(work);
    } else {
      return InvalidArgument("not an order: " + line);
    }
  }
  return OkStatus();
}

}  // namespace phasor::bench
