#include "common/config/model_folder.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

namespace phasor::config {
namespace {

namespace fs = std::filesystem;

bool IsModel(const fs::path& folder, ModelFiles files) {
  std::error_code error;
  return fs::exists(folder / "model_index.json", error) ||
         (files == ModelFiles::kElsewhere && fs::exists(folder / "phasor.yaml", error));
}

StatusOr<std::vector<std::string>> ModelsBelow(const std::string& root, ModelFiles files) {
  if (IsModel(root, files)) return std::vector<std::string>{root};
  std::error_code error;
  std::vector<std::string> folders;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    if (IsModel(entry->path(), files)) folders.push_back(entry->path());
  }
  if (error) return NotFound("cannot read the model folder " + root + ": " + error.message());
  std::sort(folders.begin(), folders.end());
  return folders;
}

// As people who only see the folder's models know it: without the way to the folder.
std::string Below(const std::string& root, std::string text) {
  std::error_code error;
  const std::string ways[] = {fs::absolute(root, error).lexically_normal().string(), root};
  for (std::string way : ways) {
    if (!way.ends_with('/')) way += '/';
    for (size_t at = text.find(way); at != std::string::npos; at = text.find(way, at)) {
      text.erase(at, way.size());
    }
  }
  return text;
}

// Takes out those that share a name: which of them was meant, nobody can tell.
void LeaveOutSharedNames(ModelFolder* models) {
  std::vector<ModelCard> unique;
  for (auto first = models->cards.begin(); first != models->cards.end();) {
    const auto last = std::find_if(first, models->cards.end(),
                                   [&](const ModelCard& card) { return card.name != first->name; });
    if (std::distance(first, last) == 1) {
      unique.push_back(std::move(*first));
    } else {
      std::string places;
      for (auto card = first; card != last; ++card) {
        places += (places.empty() ? "" : " and ") + card->directory;
      }
      models->left_out.push_back("several models are named " + first->name + ": " + places +
                                 "; 'name' in a phasor.yaml tells them apart");
    }
    first = last;
  }
  models->cards = std::move(unique);
}

// The name and the directory of "NAME=DIRECTORY"; no name where that is a folder as it stands.
std::pair<std::string, std::string> SplitName(const std::string& root) {
  std::error_code error;
  const size_t at = root.find('=');
  if (at == std::string::npos || fs::exists(root, error)) return {"", root};
  return {root.substr(0, at), root.substr(at + 1)};
}

StatusOr<ModelFolder> ReadNamed(const std::string& name, const std::string& directory,
                                ModelFiles files) {
  if (!IsModelName(name)) {
    return InvalidArgument("'" + name + "' is no model's name: 1 to 64 characters of a-z, 0-9, " +
                           "'.', '_', '-'");
  }
  if (!IsModel(directory, files)) {
    return NotFound("no model in " + directory + ", which is to be named " + name);
  }
  ASSIGN_OR_RETURN(ModelCard card, ReadModelCard(directory, files));
  card.name = name;
  ModelFolder models;
  models.cards.push_back(std::move(card));
  return models;
}

}  // namespace

std::string AbsoluteModels(const std::string& root) {
  std::error_code error;
  const auto [name, directory] = SplitName(root);
  const std::string path = fs::absolute(directory, error).lexically_normal();
  return directory == root ? path : name + "=" + path;
}

StatusOr<ModelFolder> ReadModelFolder(const std::string& root, ModelFiles files) {
  if (const auto [name, directory] = SplitName(root); directory != root) {
    return ReadNamed(name, directory, files);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> folders, ModelsBelow(root, files));
  if (folders.empty()) return NotFound("no model in " + root);
  ModelFolder models;
  Status first = OkStatus();
  for (const std::string& folder : folders) {
    StatusOr<ModelCard> card = ReadModelCard(folder, files);
    if (card.ok()) {
      models.cards.push_back(*std::move(card));
    } else {
      if (first.ok()) first = card.status();
      models.left_out.push_back(Message(card.status()));
    }
  }
  std::stable_sort(models.cards.begin(), models.cards.end(),
                   [](const ModelCard& a, const ModelCard& b) { return a.name < b.name; });
  LeaveOutSharedNames(&models);
  for (std::string& reason : models.left_out) reason = Below(root, std::move(reason));
  if (!models.cards.empty()) return models;
  return first.ok() ? InvalidArgument(models.left_out.front()) : first;
}

}  // namespace phasor::config
