/* fail_alloc.c - memory runs out, at one allocation after the other: the command says so, and loses nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Usage: fail_alloc CAPTURE...
 * Of each capture the first packets are judged again and again, refused another allocation each time: that
 * one alone, or it and all behind it.
 */
#include <unistd.h>

#include "capture/capture.h"
#include "json_check.h"
#include "memory.h"
#include "packet/packet.h"
#include "report/report.h"
#include "require.h"
#include "stream/facts.h"
#include "stream/stream.h"

/* So that all of it takes seconds: every allocation of a short capture, every n-th of a longer one. */
enum { PACKETS_MAX = 2000, RUNS_MAX = 200 };

typedef struct packets {
    capture_packet at[PACKETS_MAX]; /* with bytes of their own */
    size_t count;
} packets;

/* An allocator that refuses. */
typedef struct refuser {
    uint64_t asked;
    uint64_t refuse; /* the how-manieth, from 1; 0: none */
    bool from_then_on;
    long blocks; /* not given back */
} refuser;

typedef struct run {
    refuser memory;
    ka_allocator allocator;
    packet_decoder *decoder;
    ka_audit *audit;
    stream_table *streams;
    report *report;
    FILE *out;
    char *text;
    size_t text_bytes;
    ka_status status;
} run;

static void *refuse(void *user, void *old, size_t new_bytes)
{
    refuser *self = user;
    if (new_bytes > 0) {
        self->asked++;
        if (self->refuse != 0 &&
            (self->asked == self->refuse || (self->from_then_on && self->asked > self->refuse)))
            return NULL;
    }
    self->blocks += old == NULL && new_bytes > 0;
    self->blocks -= old != NULL && new_bytes == 0;
    return memory_heap.resize(memory_heap.user, old, new_bytes);
}

/* ---- One run -------------------------------------------------------------------------------- */

static bool open_run(run *self)
{
    static const char *const paths[] = {"a.pcap"};
    self->out = open_memstream(&self->text, &self->text_bytes);
    REQUIRE(self->out != NULL);
    report_options wanted = {
        .format = REPORT_NDJSON, .out = self->out, .paths = paths, .path_count = 1, .exchanges = true};
    self->report = report_new(&wanted, &self->allocator);
    if (self->report == NULL)
        return false;
    ka_config config = {
        .allocator = self->allocator,
        .sink = *report_sink(self->report),
        .settled = stream_settled,
        .settled_user = &self->streams,
    };
    ka_thresholds_init(&config.thresholds);
    if (ka_audit_new(&config, &self->audit) != KA_OK)
        return false;
    self->streams = stream_table_new(self->audit, &self->allocator, &stream_limits_default);
    self->decoder = packet_decoder_new(&self->allocator);
    return self->streams != NULL && self->decoder != NULL;
}

static ka_status take_packet(run *self, const capture_packet *packet)
{
    packet_tcp tcp;
    packet_bytes bytes = {packet->bytes, packet->captured_bytes, packet->wire_bytes};
    packet_verdict verdict = packet_decode(self->decoder, packet->link_type, bytes, packet->time_ns, &tcp);
    if (verdict > PACKET_ICMP_TCP)
        return KA_OK;
    tcp.segment.time_ns = packet->time_ns;
    tcp.segment.frame = packet->frame;
    tcp.segment.interface = packet->interface;
    return verdict == PACKET_TCP ? stream_segment(self->streams, &tcp) : stream_quoted(self->streams, &tcp);
}

/* As the command does: reading stops, and what was read is reported. */
static void judge_packets(run *self, const packets *input)
{
    incomplete nothing = {0};
    report_end end = {.files = 1, .first_ns = KA_NONE, .last_ns = KA_NONE, .incomplete = &nothing};
    for (size_t i = 0; i < input->count && self->status == KA_OK; i++)
        self->status = take_packet(self, &input->at[i]);
    ka_status finished = stream_finish(self->streams);
    ka_status reported = ka_audit_report(self->audit, report_sink(self->report));
    if (self->status == KA_OK)
        self->status = finished != KA_OK ? finished : reported;
    report_finish(self->report, &end);
}

static void check_lines(const run *self)
{
    for (const char *at = self->text, *lf; at < self->text + self->text_bytes; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(self->text + self->text_bytes - at));
        REQUIRE(lf != NULL && json_check(at, (size_t)(lf - at)));
    }
}

typedef struct outcome {
    char *text; /* what was reported, the caller's to free */
    ka_status status;
    uint64_t asked; /* allocations */
    uint64_t fragments_lost;
} outcome;

static outcome run_once(const packets *input, uint64_t refused, bool from_then_on)
{
    run self = {.memory = {.refuse = refused, .from_then_on = from_then_on}};
    self.allocator = (ka_allocator){&self.memory, refuse};
    if (open_run(&self))
        judge_packets(&self, input);
    else
        self.status = KA_NO_MEMORY;
    uint64_t fragments_lost = self.decoder != NULL ? packet_fragments_lost(self.decoder) : 0;
    stream_table_free(self.streams);
    ka_audit_free(self.audit);
    packet_decoder_free(self.decoder);
    report_free(self.report);
    fclose(self.out);
    REQUIRE(self.memory.blocks == 0);
    check_lines(&self);
    return (outcome){self.text, self.status, self.memory.asked, fragments_lost};
}

/* ---- One capture ---------------------------------------------------------------------------- */

static void read_packets(const char *path, packets *out)
{
    char error[CAPTURE_ERROR_BYTES];
    bool usage;
    capture *input = capture_open(&(capture_options){&path, 1, NULL}, error, &usage);
    REQUIRE(input != NULL);
    for (out->count = 0; out->count < PACKETS_MAX; out->count++) {
        capture_packet *packet = &out->at[out->count];
        if (capture_next(input, packet) != CAPTURE_PACKET)
            break;
        packet->bytes = require_copy(packet->bytes, packet->captured_bytes);
    }
    capture_close(input);
}

/* Where nothing was said, nothing may be missing: some memory only saves work. */
static bool is_told(const packets *input, uint64_t refused, bool from_then_on, const outcome *whole)
{
    outcome o = run_once(input, refused, from_then_on);
    bool told = o.status == KA_NO_MEMORY || o.fragments_lost > whole->fragments_lost ||
                strcmp(o.text, whole->text) == 0;
    free(o.text);
    REQUIRE(o.status == KA_OK || o.status == KA_NO_MEMORY);
    if (!told)
        fprintf(stderr, "allocation %llu is missed in silence\n", (unsigned long long)refused);
    return told;
}

static bool try_capture(const char *path)
{
    static packets input; /* large */
    read_packets(path, &input);
    outcome whole = run_once(&input, 0, false);
    uint64_t step = whole.asked / RUNS_MAX + 1, runs = 0;
    bool told = true;
    REQUIRE(whole.status == KA_OK);
    for (uint64_t refused = 1; refused <= whole.asked; refused += step, runs++) {
        told = is_told(&input, refused, false, &whole) && told;
        told = is_told(&input, refused, true, &whole) && told;
    }
    printf("%s: %llu of %llu allocations refused, %s\n", path, (unsigned long long)runs,
           (unsigned long long)whole.asked, told ? "all told" : "NOT all told");
    for (size_t i = 0; i < input.count; i++)
        free((void *)(uintptr_t)input.at[i].bytes);
    free(whole.text);
    return told;
}

int main(int argc, char **argv)
{
    bool told = argc > 1;
    for (int i = 1; i < argc; i++)
        told = try_capture(argv[i]) && told;
    return told ? EXIT_SUCCESS : EXIT_FAILURE;
}
