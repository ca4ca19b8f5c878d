# What the compiler knows of how the command runs: it is built twice. The first build counts how often each branch is
# taken while it reads the samples; the second is laid out by these counts. A seventh of the processor time.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# keptalive_train(TARGET...): these are compiled when the counts are there.
option(KEPTALIVE_TRAINED "Optimise a release by how it runs on the samples (gcc): twice as long to build, faster to run" ON)
option(KEPTALIVE_COUNTS "Count how often each branch is taken: the first of the two builds" OFF)
mark_as_advanced(KEPTALIVE_COUNTS)

set(training ${PROJECT_BINARY_DIR}/training)
# Counts are found by the name of the object within its build.
check_c_compiler_flag(-fprofile-prefix-path=/ has_profile_prefix)
if(KEPTALIVE_COUNTS)
    add_compile_options(-fprofile-generate -fprofile-update=single -fprofile-dir=${PROJECT_BINARY_DIR}/counts
                        -fprofile-prefix-path=${PROJECT_BINARY_DIR})
    add_link_options(-fprofile-generate)
elseif(KEPTALIVE_TRAINED AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND has_profile_prefix AND NOT CMAKE_CROSSCOMPILING AND
       CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT KEPTALIVE_SANITIZE)
    set(is_trained ON)
endif()

# What was chosen for this build holds for the one that counts.
function(first_build_options out)
    get_cmake_property(names CACHE_VARIABLES)
    list(FILTER names INCLUDE REGEX "^KEPTALIVE_")
    list(APPEND names CMAKE_C_COMPILER CMAKE_C_FLAGS CMAKE_BUILD_TYPE CMAKE_PREFIX_PATH)
    foreach(name ${names})
        list(APPEND options "-D${name}=${${name}}")
    endforeach()
    set(${out} ${options} PARENT_SCOPE)
endfunction()

function(keptalive_train)
    if(NOT is_trained)
        return()
    endif()
    first_build_options(options)
    file(GLOB captures CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/samples/*/*.pcap*)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/*.[chd]* ${PROJECT_SOURCE_DIR}/pcap-tool/*.[ch]
        ${PROJECT_SOURCE_DIR}/pcap-tool/*/*.[ch])
    add_custom_command(OUTPUT ${training}/counted
        COMMENT "Building once to count how often each branch is taken"
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${training}/counts
        COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${training} -G ${CMAKE_GENERATOR} ${options}
            -DKEPTALIVE_COUNTS=ON -DKEPTALIVE_LTO=OFF -DKEPTALIVE_TESTS=OFF
            -DCMAKE_DISABLE_FIND_PACKAGE_Wireshark=ON --log-level=WARNING
        COMMAND ${CMAKE_COMMAND} --build ${training} --target keptalive --parallel
        COMMAND ${CMAKE_COMMAND} -DTOOL=${training}/pcap-tool/keptalive "-DCAPTURES=${captures}"
            -P ${PROJECT_SOURCE_DIR}/cmake/train.cmake
        COMMAND ${CMAKE_COMMAND} -E touch ${training}/counted
        DEPENDS ${sources} ${captures} ${PROJECT_SOURCE_DIR}/cmake/train.cmake
        VERBATIM)
    add_custom_target(training DEPENDS ${training}/counted)
    foreach(target ${ARGN})
        if(TARGET ${target})
            add_dependencies(${target} training)
            target_compile_options(${target} PRIVATE -fprofile-use -fprofile-dir=${training}/counts
                -fprofile-prefix-path=${PROJECT_BINARY_DIR})
        endif()
    endforeach()
endfunction()
