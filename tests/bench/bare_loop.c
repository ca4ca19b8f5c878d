/* bare_loop.c - the least any program does with a capture: libpcap's loop, counting. What bench compares
 * with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>

#include <pcap/pcap.h>

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE] = "usage: bare_loop FILE";
    pcap_t *capture = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
    if (!capture) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t packets = 0, total_bytes = 0;
    int status;
    while ((status = pcap_next_ex(capture, &header, &bytes)) == 1) {
        packets++;
        total_bytes += header->caplen;
    }
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, total_bytes);
    pcap_close(capture);
    return status == PCAP_ERROR_BREAK ? 0 : 3;
}
