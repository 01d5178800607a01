# Run as a script: cmake -DDIRECTORY=... -DSCRIPTS=a,b -DOUTPUT=x.cc -P EmbedLua.cmake
# Writes a C++ source with one phasor::queue::Script per DIRECTORY/<name>.lua. A line
# "--#include <name>" is replaced by lib/<name>.lua; the SHA-1 is that of the resulting text, as
# Redis computes it.
string(REPLACE "," ";" names "${SCRIPTS}")
set(source "#include \"common/queue/redis/scripts.h\"\n\nnamespace phasor::queue::scripts {\n")
foreach(name IN LISTS names)
  file(READ "${DIRECTORY}/${name}.lua" text)
  while(text MATCHES "--#include ([a-z_]+)\n")
    set(line "${CMAKE_MATCH_0}")
    file(READ "${DIRECTORY}/lib/${CMAKE_MATCH_1}.lua" part)
    string(REPLACE "${line}" "${part}" text "${text}")
  endwhile()
  string(SHA1 sha "${text}")
  string(SUBSTRING "${name}" 0 1 first)
  string(TOUPPER "${first}" first)
  string(SUBSTRING "${name}" 1 -1 rest)
  string(APPEND source
         "\nconst Script k${first}${rest}{\"${name}\", \"${sha}\", R\"LUA(${text})LUA\"};\n")
endforeach()
string(APPEND source "\n}  // namespace phasor::queue::scripts\n")
file(WRITE "${OUTPUT}" "${source}")
