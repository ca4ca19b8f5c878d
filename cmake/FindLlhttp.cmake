# Llhttp::Llhttp - the library where the system has one (Debian 13: libllhttp-dev), else its C source as Debian 12's
# node-llhttp ships it.
# SPDX-License-Identifier: GPL-2.0-or-later
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATH_SUFFIXES llhttp PATHS /usr/share/include)
find_library(LLHTTP_LIBRARY llhttp)
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp)
include(FindPackageHandleStandardArgs)
if(LLHTTP_LIBRARY)
    find_package_handle_standard_args(Llhttp REQUIRED_VARS LLHTTP_LIBRARY LLHTTP_INCLUDE_DIR)
else()
    find_package_handle_standard_args(Llhttp REQUIRED_VARS LLHTTP_SOURCE_DIR LLHTTP_INCLUDE_DIR)
endif()
if(Llhttp_FOUND AND NOT TARGET Llhttp::Llhttp)
    if(LLHTTP_LIBRARY)
        add_library(Llhttp::Llhttp UNKNOWN IMPORTED)
        set_target_properties(Llhttp::Llhttp PROPERTIES IMPORTED_LOCATION ${LLHTTP_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${LLHTTP_INCLUDE_DIR})
    else()
        add_library(keptalive_llhttp STATIC ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/http.c
            ${LLHTTP_SOURCE_DIR}/api.c)
        target_include_directories(keptalive_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
        target_compile_options(keptalive_llhttp PRIVATE -w)
        add_library(Llhttp::Llhttp ALIAS keptalive_llhttp)
    endif()
endif()
