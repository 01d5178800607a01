#include "common/redis/redis_login.h"

#include "common/base/secret_file.h"

namespace phasor::redis {
StatusOr<Login> ReadLogin(const RedisAddress& address, const LoginFiles& files) {
  Login login{address.user, address.password};
  if (!files.user.empty()) {
    ASSIGN_OR_RETURN(login.user, ReadSecretFile(files.user));
  }
  if (!files.password.empty()) {
    ASSIGN_OR_RETURN(login.password, ReadSecretFile(files.password));
  }
  return login;
}

}  // namespace phasor::redis
