# Pcap::Pcap - libpcap, Debian's libpcap-dev.
# SPDX-License-Identifier: GPL-2.0-or-later
find_path(PCAP_INCLUDE_DIR pcap/pcap.h)
find_library(PCAP_LIBRARY pcap)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Pcap REQUIRED_VARS PCAP_LIBRARY PCAP_INCLUDE_DIR)
if(Pcap_FOUND AND NOT TARGET Pcap::Pcap)
    add_library(Pcap::Pcap UNKNOWN IMPORTED)
    set_target_properties(Pcap::Pcap PROPERTIES IMPORTED_LOCATION ${PCAP_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${PCAP_INCLUDE_DIR})
endif()
