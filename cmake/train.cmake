# Lets the command read captures, so that what it counts is written: cmake -DTOOL=... -DCAPTURES=... -P train.cmake
# SPDX-License-Identifier: GPL-2.0-or-later
foreach(capture ${CAPTURES})
    foreach(format text ndjson)
        # The sandbox would keep it from writing. Findings and captures that are cut short have exit statuses of their own.
        execute_process(COMMAND ${TOOL} --no-sandbox --format ${format} --output /dev/null ${capture}
            RESULT_VARIABLE status ERROR_QUIET)
        if(NOT status MATCHES "^[0-3]$")
            message(FATAL_ERROR "${TOOL} ${capture}: ${status}")
        endif()
    endforeach()
endforeach()
