# shellcheck shell=bash
# Checks that need no compiler.

lint_all() {
  packages_setup "$PHASOR_ROOT/tools/dev/packages-lint.txt"
  local failed=() sources
  mapfile -t sources < <(git ls-files '*.h' '*.cc')
  say "format of ${#sources[@]} files"
  clang-format --dry-run -Werror "${sources[@]}" || failed+=(format)
  say "sizes"
  tools/style_table.py || failed+=(sizes)
  say "sources and tests named in CMake"
  tools/check_tests_registered || failed+=(registration)
  say "files that the docs name"
  tools/check_docs || failed+=(docs)
  say "shell scripts"
  mapfile -t sources < <(git ls-files '*.sh')
  shellcheck -x dev .ci/run "${sources[@]}" || failed+=(shell)
  ((${#failed[@]} == 0)) || die "lint failed: ${failed[*]}"
  say "lint passed"
}
