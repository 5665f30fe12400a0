# Rooms: each folder with a CMakeLists.txt is one static library (room) or one program.
#
#   room(NAME SOURCES a.c b.c USES base log LIBS PkgConfig::X [PURE])
#   program(NAME SOURCES ... USES ... LIBS ...)
#   unit_test(NAME USES ... )        builds tests/unit/test_NAME.c, runs it under ctest
#   fuzz_target(NAME USES ...)       builds tests/fuzz/fuzz_NAME.c, replays its corpus under ctest
#
# A room may include only the rooms it names under USES; tests/unit/test_rooms.py checks that
# against the sources, that there is no cycle, and that a PURE room does no I/O and reads no clock.

set(ROOM_LIST ${CMAKE_BINARY_DIR}/rooms.txt)
file(WRITE ${ROOM_LIST} "")

function(room_declare kind name pure)
	file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
	list(JOIN ARGN "," uses)
	file(APPEND ${ROOM_LIST} "${kind} ${name} ${folder} ${pure} ${uses}\n")
endfunction()

function(room name)
	cmake_parse_arguments(R "PURE" "" "SOURCES;USES;LIBS" ${ARGN})
	add_library(${name}_room STATIC ${R_SOURCES})
	list(TRANSFORM R_USES APPEND _room OUTPUT_VARIABLE rooms)
	target_link_libraries(${name}_room PUBLIC ${rooms} ${R_LIBS})
	room_declare(room ${name} ${R_PURE} ${R_USES})
endfunction()

function(program name)
	cmake_parse_arguments(P "" "" "SOURCES;USES;LIBS" ${ARGN})
	add_executable(postroad-${name} ${P_SOURCES})
	list(TRANSFORM P_USES APPEND _room OUTPUT_VARIABLE rooms)
	target_link_libraries(postroad-${name} PRIVATE ${rooms} ${P_LIBS})
	set_target_properties(postroad-${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec)
	room_declare(program ${name} FALSE ${P_USES})
	install(TARGETS postroad-${name} RUNTIME DESTINATION libexec/postroad)
endfunction()

function(unit_test name)
	cmake_parse_arguments(T "" "" "USES;LIBS;SOURCES" ${ARGN})
	add_executable(test_${name} ${CMAKE_SOURCE_DIR}/tests/unit/test_${name}.c ${T_SOURCES})
	list(TRANSFORM T_USES APPEND _room OUTPUT_VARIABLE rooms)
	target_link_libraries(test_${name} PRIVATE ${rooms} ${T_LIBS} PkgConfig::CMOCKA)
	add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
	set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()

function(fuzz_target name)
	cmake_parse_arguments(F "" "" "USES;LIBS;SOURCES" ${ARGN})
	list(TRANSFORM F_USES APPEND _room OUTPUT_VARIABLE rooms)
	set(source ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c ${F_SOURCES})
	if(POSTROAD_FUZZ)
		add_executable(fuzz_${name} ${source})
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	else()
		add_executable(fuzz_${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
		add_test(NAME replay_${name}
			COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
	endif()
	target_link_libraries(fuzz_${name} PRIVATE ${rooms} ${F_LIBS})
endfunction()

# Loads every folder that has a CMakeLists.txt; order does not matter to CMake.
function(rooms_load)
	file(GLOB_RECURSE lists RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS
		${CMAKE_SOURCE_DIR}/*/CMakeLists.txt)
	list(FILTER lists EXCLUDE REGEX "^build/")
	foreach(file IN LISTS lists)
		get_filename_component(folder ${file} DIRECTORY)
		add_subdirectory(${folder})
	endforeach()
endfunction()
