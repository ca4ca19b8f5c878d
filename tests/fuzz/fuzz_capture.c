/* fuzz_capture.c - fuzzes the bytes of a capture file, pcap or pcapng.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"
#include "heap.h"

/* The tool opens files by name: the bytes become one that is only in memory. */
static capture *open_bytes(int file, const uint8_t *bytes, size_t len_bytes)
{
    static char path[64]; /* lives as long as the capture */
    const char *paths[] = {path};
    char error[CAPTURE_ERROR_BYTES];
    bool usage;
    if (write(file, bytes, len_bytes) != (ssize_t)len_bytes)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return capture_open(&(capture_options){paths, 1, NULL}, error, &usage);
}

static void judge_packet(judge *run, packet_decoder *decoder, const capture_packet *packet)
{
    packet_tcp tcp;
    packet_bytes bytes = {packet->bytes, packet->captured_bytes, packet->wire_bytes};
    packet_verdict verdict = packet_decode(decoder, packet->link_type, bytes, packet->time_ns, &tcp);
    tcp.segment.time_ns = packet->time_ns;
    tcp.segment.frame = packet->frame;
    tcp.segment.interface = packet->interface;
    if (verdict == PACKET_TCP)
        judge_segment(run, &tcp);
    else if (verdict == PACKET_ICMP_TCP || verdict == PACKET_TCP_BROKEN)
        judge_quoted(run, &tcp);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    capture *input = file < 0 ? NULL : open_bytes(file, bytes, len_bytes);
    if (input != NULL) {
        judge run;
        capture_packet packet;
        packet_decoder *decoder = packet_decoder_new(&fuzz_heap);
        if (decoder == NULL)
            abort();
        judge_init(&run, len_bytes % 2 == 0 ? REPORT_TEXT : REPORT_NDJSON, &stream_limits_default);
        while (capture_next(input, &packet) == CAPTURE_PACKET)
            judge_packet(&run, decoder, &packet);
        judge_fini(&run);
        packet_decoder_free(decoder);
        capture_close(input);
    }
    close(file);
    return 0;
}
