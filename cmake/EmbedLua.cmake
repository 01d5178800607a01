# Run as a script:
#   cmake -DDIRECTORY=... -DSCRIPTS=a,b -DCONSTANTS=x.h,y.h -DOUTPUT=x.cc -P EmbedLua.cmake
# Writes a C++ source with one phasor::queue::Script per DIRECTORY/<name>.lua. What a script says
# require('name') for, and what that requires, is put before it: lib/<name>.lua as a function, which
# runs when it is first required and whose result require gives from then on. So a library shares
# nothing but what it returns.
#
# "$(name)" is replaced by what one of the headers says: a member "int64_t name = 1'000;" or
# "Millis name{1'000};", a constant "kName = 8;" or "kName = {1, 2};", which becomes a table from 0,
# a list "std::string_view kName[] = {"a", "b"};" or the names of "JobField kName[] = {...};", which
# become a table from 1. Of the latter there is also, written out, for a loop over many names is slow:
#   $(kName:blank)      a table with every name and the value of a field that says nothing
#   $(kName:of_job)     the fields of the table `job` in their order, false for one that it lacks
#   $(kName:of_values)  a table with every name and its value in the list `values`
# The SHA-1 is that of the resulting text, as Redis computes it.
cmake_minimum_required(VERSION 3.22)
string(REPLACE "," ";" names "${SCRIPTS}")
string(REPLACE "," ";" headers "${CONSTANTS}")
foreach(header IN LISTS headers)
  file(READ "${header}" text)
  string(REGEX MATCHALL "(int|int64_t|Millis|size_t|>) [A-Za-z_]+( = |{)[{0-9', ]+" matches "${text}")
  foreach(match IN LISTS matches)
    string(REGEX MATCH " ([A-Za-z_]+)( = |{)([{0-9', ]+)$" ignored "${match}")
    set(name "${CMAKE_MATCH_1}")
    string(REPLACE "'" "" value "${CMAKE_MATCH_3}")
    string(STRIP "${value}" value)
    string(REGEX REPLACE "^{(.*)$" "{[0] = \\1}" value "${value}")
    set(constant_${name} "${value}")
  endforeach()

  string(REPLACE ";" "," text "${text}")
  string(REPLACE "[]" "" text "${text}")
  string(REGEX MATCHALL "(JobField|std::string_view) k[A-Za-z]+ = {[^}]*}" lists "${text}")
  foreach(list IN LISTS lists)
    string(REGEX MATCH " (k[A-Za-z]+) = " ignored "${list}")
    set(name "${CMAKE_MATCH_1}")
    string(REGEX MATCHALL "(Word\\(|Number\\()?\"[a-z_]+\"" fields "${list}")
    set(values "")
    set(blanks "")
    set(of_job "")
    set(of_values "")
    set(place 0)
    foreach(field IN LISTS fields)
      string(REGEX REPLACE "^.*\"([a-z_]+)\"$" "\\1" word "${field}")
      math(EXPR place "${place} + 1")
      set(blank "false")
      if(field MATCHES "^Number")
        set(blank "0")
      endif()
      string(APPEND values "'${word}', ")
      string(APPEND blanks "${word} = ${blank}, ")
      string(APPEND of_job "job.${word} or false, ")
      string(APPEND of_values "${word} = values[${place}] or ${blank}, ")
    endforeach()
    set(constant_${name} "{${values}}")
    set(constant_${name}:blank "{${blanks}}")
    set(constant_${name}:of_job "{${of_job}}")
    set(constant_${name}:of_values "{${of_values}}")
  endforeach()
endforeach()

# Appends the names of the libraries that the text needs to `libraries`, in the caller's scope.
function(add_libraries text)
  string(REGEX MATCHALL "require\\('[a-z_]+'\\)" calls "${text}")
  foreach(call IN LISTS calls)
    string(REGEX REPLACE "^require\\('([a-z_]+)'\\)$" "\\1" name "${call}")
    if(NOT name IN_LIST libraries)
      list(APPEND libraries ${name})
      file(READ "${DIRECTORY}/lib/${name}.lua" library)
      add_libraries("${library}")
    endif()
  endforeach()
  set(libraries "${libraries}" PARENT_SCOPE)
endfunction()

set(loader [[
}
local loaded = {}
function require(name)
  local library = loaded[name]
  if not library then
    library = libraries[name]()
    loaded[name] = library
  end
  return library
end
]])

set(source "#include \"common/queue/redis/scripts.h\"\n\nnamespace phasor::queue::scripts {\n")
foreach(name IN LISTS names)
  file(READ "${DIRECTORY}/${name}.lua" text)
  set(libraries "")
  add_libraries("${text}")
  set(prelude "local require\nlocal libraries = {\n")
  foreach(library IN LISTS libraries)
    file(READ "${DIRECTORY}/lib/${library}.lua" part)
    string(APPEND prelude "${library} = function()\n${part}end,\n")
  endforeach()
  string(APPEND prelude "${loader}")
  string(FIND "${text}" "\n" end)  # of the line that Redis reads first
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${text}" 0 ${end} first)
  string(SUBSTRING "${text}" ${end} -1 text)
  set(text "${first}${prelude}${text}")
  while(text MATCHES "\\$\\(([A-Za-z_:]+)\\)")
    set(constant "${CMAKE_MATCH_1}")
    if(DEFINED constant_${constant})
      string(REPLACE "$(${constant})" "${constant_${constant}}" text "${text}")
    else()
      message(FATAL_ERROR "${name}.lua: no header has the constant '${constant}'")
    endif()
  endwhile()
  string(SHA1 sha "${text}")
  set(identifier "")
  string(REPLACE "_" ";" words "${name}")
  foreach(word IN LISTS words)
    string(SUBSTRING "${word}" 0 1 first)
    string(TOUPPER "${first}" first)
    string(SUBSTRING "${word}" 1 -1 rest)
    string(APPEND identifier "${first}${rest}")
  endforeach()
  string(APPEND source
         "\nconst Script k${identifier}{\"${name}\", \"${sha}\", R\"LUA(${text})LUA\"};\n")
endforeach()
string(APPEND source "\n}  // namespace phasor::queue::scripts\n")
file(WRITE "${OUTPUT}" "${source}")
