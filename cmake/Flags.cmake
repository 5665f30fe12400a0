# Compiler flags: strict warnings always; sanitizers, hardening and fuzzing by option.

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(
	-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wformat=2 -Wvla -Werror -fno-strict-aliasing -fno-omit-frame-pointer)
include_directories(${CMAKE_SOURCE_DIR})

if(POSTROAD_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
	add_link_options(-fsanitize=address,undefined)
endif()

if(POSTROAD_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(POSTROAD_HARDEN)
	add_compile_options(
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
		-fstack-clash-protection -fcf-protection)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		add_compile_options(-ftrivial-auto-var-init=zero)
	endif()
	add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
