#include "common/tls/source.h"

#include <utility>

#include "common/tls/staged_file.h"

namespace phasor::tls {

Source::Source(Files files, const Clock* clock, Material material)
    : files_(std::move(files)),
      clock_(clock),
      material_(std::make_shared<const Material>(std::move(material))) {}

Source::~Source() = default;

StatusOr<std::shared_ptr<Source>> Source::Open(const Files& files, const Clock* clock) {
  ASSIGN_OR_RETURN(Material material, ReadMaterial(files, clock->WallMillis()));
  std::shared_ptr<Source> source(new Source(files, clock, std::move(material)));
  const auto current = source->current();
  if (!current->chain.empty()) {
    ASSIGN_OR_RETURN(source->identity_, StagedFile::Make(current->key + "\n" + current->chain));
  }
  if (!current->authorities.empty()) {
    ASSIGN_OR_RETURN(source->authorities_, StagedFile::Make(current->authorities));
  }
  return source;
}

Status Source::Look() {
  const auto found = ReadMaterial(files_, clock_->WallMillis());
  MutexLock lock(&mu_);
  if (!found.ok()) {
    refused_ += wrong_ ? 0 : 1;
    wrong_ = true;
    return Annotate(found.status(), "the certificates in use stay");
  }
  wrong_ = false;
  if (*found == *material_) return OkStatus();
  if (identity_ != nullptr) RETURN_IF_ERROR(identity_->Replace(found->key + "\n" + found->chain));
  if (authorities_ != nullptr) RETURN_IF_ERROR(authorities_->Replace(found->authorities));
  material_ = std::make_shared<const Material>(*found);
  ++replaced_;
  return OkStatus();
}

std::shared_ptr<const Material> Source::current() const {
  MutexLock lock(&mu_);
  return material_;
}

int64_t Source::replaced() const {
  MutexLock lock(&mu_);
  return replaced_;
}

int64_t Source::refused() const {
  MutexLock lock(&mu_);
  return refused_;
}

std::string Source::identity_path() const { return identity_ ? identity_->path() : ""; }

std::string Source::authorities_path() const { return authorities_ ? authorities_->path() : ""; }

}  // namespace phasor::tls
