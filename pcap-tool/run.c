/* run.c - one run: owns the order in which the rooms are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include "budget.h"
#include "capture/capture.h"
#include "confine.h"
#include "exit_status.h"
#include "inputs.h"
#include "interrupt.h"
#include "live.h"
#include "output.h"
#include "packet/packet.h"
#include "report/report.h"
#include "stream/lookahead.h"
#include "stream/stream.h"
#include "watch.h"
#include "what-if/what_if.h"

#include <stdio.h>
#include <sys/random.h>

/* Twice sixteen layers of the longest name and number: "mpls 1048575 / ". */
enum { ENCAPSULATION_BYTES = 768 };

/* Packets by what became of them, without the TCP ones. */
typedef struct packet_losses {
    uint64_t aggregates; /* of 802.11 */
    uint64_t broken;     /* TCP headers */
    uint64_t cut;
    uint64_t malformed;
    uint64_t link_unknown;
} packet_losses;

typedef struct run {
    options settings; /* its paths are those of `inputs` */
    path_list inputs;
    live_run live;
    capture_filter *filter; /* until the capture takes it */
    capture *capture;
    budget memory;
    packet_decoder *decoder;
    ka_audit *audit;
    stream_table *streams;
    lookahead ahead;
    report *report;
    what_if *what_if; /* NULL: not asked */
    const ka_sink *sink;
    FILE *out;
    watch watch;
    packet_losses losses;
    ka_status status; /* of reading */
    int64_t first_ns; /* of the packets seen; KA_NONE: none */
    int64_t last_ns;
    incomplete incomplete;
    outcome *result; /* or NULL */
    char encapsulation[ENCAPSULATION_BYTES];
} run;

/* ---- Opening ---- */

static bool is_live(const run *self)
{
    return self->settings.live.interface_count > 0;
}

static int open_capture(run *self)
{
    capture_options inputs = {self->settings.paths, self->settings.path_count, self->settings.filter};
    char error[CAPTURE_ERROR_BYTES];
    bool usage = false;
    self->capture = capture_open_filtered(&inputs, self->filter, &self->memory.reading, error, &usage);
    self->filter = NULL;
    if (!self->capture)
        return complain(usage ? EXIT_USAGE : EXIT_UNREAD, error, usage ? "try keptalive --help" : NULL);
    return EXIT_DONE;
}

static bool locate(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    return capture_locate(user, frame, file, file_frame);
}

static void write_what_if(void *user, FILE *out)
{
    const run *self = user;
    if (self->settings.format == OPTIONS_NDJSON)
        what_if_ndjson(self->what_if, out);
    else
        what_if_text(self->what_if, out, output_color(&self->settings, out));
}

static bool open_what_if(run *self)
{
    const options *settings = &self->settings;
    self->sink = report_sink(self->report);
    if (!settings->asks_what_if)
        return true;
    const what_if_memory memory = {.history = memory_allocator(&self->memory.history),
                                   .work = memory_allocator(&self->memory.what_if)};
    self->what_if =
        what_if_new(&settings->what_if, settings->thresholds.reuse_margin_ns, self->sink, &memory);
    if (!self->what_if)
        return false;
    self->sink = what_if_sink(self->what_if);
    return true;
}

static bool open_report(run *self)
{
    const options *settings = &self->settings;
    report_options wanted = {
        .format = settings->format == OPTIONS_NDJSON ? REPORT_NDJSON : REPORT_TEXT,
        .out = self->out,
        .paths = settings->paths,
        .path_count = settings->path_count,
        .interfaces = settings->live.interfaces,
        .interface_count = settings->live.interface_count,
        .filter = settings->filter,
        .connections = settings->connections,
        .exchanges = settings->exchanges,
        .each = settings->each,
        .servers = settings->servers,
        .color = output_color(settings, self->out),
        .selection = settings->selection,
        .body = settings->asks_what_if ? write_what_if : NULL,
        .body_user = self,
        .locate_user = self->capture,
        .locate = settings->path_count > 1 || settings->live.ring ? locate : NULL,
    };
    self->report = report_new(&wanted, &self->memory.heap);
    if (self->report)
        report_follow(self->report, is_live(self));
    return self->report != NULL && open_what_if(self);
}

/* What a connection was wrapped in; both directions' where they differ. */
static const char *encapsulation(void *user, void *owner)
{
    run *self = user;
    uint16_t paths[2];
    size_t size = sizeof self->encapsulation;
    stream_paths(owner, paths);
    if (paths[0] == 0 && paths[1] == 0)
        return NULL;
    size_t len = packet_path_text(self->decoder, paths[0], self->encapsulation, size);
    if (paths[0] != paths[1]) {
        len += (size_t)snprintf(self->encapsulation + len, size - len, " <-> ");
        packet_path_text(self->decoder, paths[1], self->encapsulation + len, size - len);
    }
    return self->encapsulation;
}

static bool open_audit(run *self)
{
    ka_config config = {
        .thresholds = self->settings.thresholds,
        .allocator = blocks_allocator(&self->memory.small),
        .ledgers = memory_allocator(&self->memory.ledgers),
        .sink = *self->sink,
        .gap = self->what_if ? what_if_on_gap : NULL,
        .gap_user = self->what_if,
        .settled = stream_settled,
        .settled_user = &self->streams,
        .encapsulation = encapsulation,
        .encapsulation_user = self,
        .several_clocks = self->settings.path_count > 1,
        .proxy_addresses = self->settings.proxy,
        .proxy_address_count = self->settings.proxy_count,
    };
    /* Against captures made to collide; without entropy only that protection is lost. */
    if (getrandom(&config.hash_seed, sizeof config.hash_seed, GRND_NONBLOCK) < 0)
        config.hash_seed = 0;
    if (ka_audit_new(&config, &self->audit) != KA_OK)
        return false;
    ka_audit_resolution(self->audit, capture_tick_ns(self->capture));
    self->streams = stream_table_new(self->audit, &self->memory.heap, &self->memory.limits);
    self->ahead.streams = self->streams;
    self->decoder = packet_decoder_new(&self->memory.heap);
    return self->streams != NULL && self->decoder != NULL;
}

static int open_inputs(run *self)
{
    if (is_live(self))
        return live_open(&self->live, &self->settings, &self->capture);
    if (self->settings.filter)
        self->filter = capture_filter_new(self->settings.filter);
    confine_run(&self->settings);
    int status = inputs_find(&self->settings, &self->inputs);
    return status == EXIT_DONE ? open_capture(self) : status;
}

static int open_all(run *self)
{
    int status = open_inputs(self);
    if (status == EXIT_DONE)
        status = output_open(&self->settings, &self->out);
    if (status == EXIT_DONE && (!open_report(self) || !open_audit(self)))
        status = complain(EXIT_UNREAD, "not enough memory to start", NULL);
    if (status == EXIT_DONE && is_live(self))
        status = live_begin(&self->live, &self->settings);
    if (status == EXIT_DONE)
        confine_seal(&self->settings);
    return status;
}

/* ---- Reading ---- */

static void see_time(run *self, int64_t time_ns)
{
    if (self->first_ns == KA_NONE || time_ns < self->first_ns)
        self->first_ns = time_ns;
    if (self->last_ns == KA_NONE || time_ns > self->last_ns)
        self->last_ns = time_ns;
}

static ka_status take_quoted(run *self, const packet_tcp *quoted)
{
    ka_status status = lookahead_drain(&self->ahead);
    return status == KA_OK ? stream_quoted(self->streams, quoted) : status;
}

static ka_status take_packet(run *self, const capture_packet *packet)
{
    packet_bytes bytes = {packet->bytes, packet->captured_bytes, packet->wire_bytes};
    packet_tcp *tcp = lookahead_room(&self->ahead);
    see_time(self, packet->time_ns);
    if (budget_is_short(&self->memory))
        budget_relieve(&self->memory, self->streams);
    packet_verdict verdict = packet_decode(self->decoder, packet->link_type, bytes, packet->time_ns, tcp);
    tcp->segment.time_ns = packet->time_ns;
    tcp->segment.frame = packet->frame;
    tcp->segment.interface = packet->interface;
    switch (verdict) {
    case PACKET_TCP:
        return lookahead_segment(&self->ahead);
    case PACKET_ICMP_TCP:
        return take_quoted(self, tcp);
    case PACKET_TCP_BROKEN:
        self->losses.broken++;
        return take_quoted(self, tcp);
    case PACKET_AGGREGATE:
        self->losses.aggregates++;
        break;
    case PACKET_CUT:
        self->losses.cut++;
        break;
    case PACKET_MALFORMED:
        self->losses.malformed++;
        break;
    case PACKET_LINK_UNKNOWN:
        self->losses.link_unknown++;
        break;
    case PACKET_FRAGMENT: /* the decoder counts those it gives up */
    case PACKET_OTHER:
        break;
    }
    return KA_OK;
}

/* Of interfaces: no packet is there. Connections that were waited for settle. */
static ka_status be_quiet(run *self)
{
    ka_status status = lookahead_drain(&self->ahead);
    return status == KA_OK && self->last_ns != KA_NONE
               ? stream_time_passed(self->streams, capture_quiet_ns(self->capture))
               : status;
}

/* False at the end. */
static bool read_one(run *self)
{
    capture_packet packet;
    watch_turn(&self->watch);
    switch (capture_next(self->capture, &packet)) {
    case CAPTURE_PACKET:
        self->status = take_packet(self, &packet);
        return true;
    case CAPTURE_QUIET:
        self->status = be_quiet(self);
        return true;
    case CAPTURE_END:
        break;
    }
    return false;
}

/* A signal is how capturing ends: the capture sees to that itself, when it has what the kernel still holds.
 */
static bool is_interrupted(const run *self)
{
    return interrupted() && !is_live(self);
}

static void read_all(run *self)
{
    self->watch = (watch){.capture = self->capture, .streams = self->streams, .report = self->report};
    watch_begin(&self->watch, &self->settings, self->out);
    while (self->status == KA_OK && !is_interrupted(self) && report_error(self->report) == 0 &&
           read_one(self))
        ;
    watch_end(&self->watch);
    report_follow(self->report, false);
    if (self->status == KA_OK)
        self->status = lookahead_drain(&self->ahead);
    if (self->status == KA_OK)
        self->status = stream_finish(self->streams);
    /* After a failure too: what was read is reported. */
    ka_status reported = ka_audit_report(self->audit, self->sink);
    if (self->status == KA_OK)
        self->status = reported;
}

/* ---- Reporting ---- */

static void list_incomplete(run *self)
{
    incomplete *list = &self->incomplete;
    for (size_t i = 0; i < self->inputs.problems.count; i++)
        incomplete_add(list, (incomplete_row){"input", self->inputs.problems.lines[i], 1, true, true});
    for (size_t i = 0; i < capture_problem_count(self->capture); i++)
        incomplete_add(list, (incomplete_row){"input", capture_problem(self->capture, i), 1, true, true});
    const packet_losses *losses = &self->losses;
    const stream_counts *counts = stream_table_counts(self->streams);
    uint64_t dropped, dropped_before;
    capture_drops(self->capture, &dropped, &dropped_before);
    const incomplete_row rows[] = {
        {"interrupted", "reading was interrupted", is_interrupted(self), true, true},
        {"memory", "memory ran out: the rest was not read", self->status == KA_NO_MEMORY, true, true},
        {"internal", "an internal error ended reading, please report it", self->status == KA_MISUSE, true,
         true},
        {"dropped", "packets dropped by the kernel, which had no room for them", dropped, true, false},
        {"dropped-before", "packets dropped by the interfaces, of all their traffic", dropped_before, false,
         false},
        {"link-type", "packets of a link type that is not known", losses->link_unknown, true, false},
        {"fragment", "IP fragments of TCP segments, not put together", packet_fragments_lost(self->decoder),
         false, false},
        {"wlan-aggregate", "802.11 frames of several packets, or pieces of one, not read", losses->aggregates,
         false, false},
        {"tcp-header", "TCP headers that are cut off or impossible", losses->broken, false, false},
        {"packet-cut", "packets too short for their own headers", losses->cut, false, false},
        {"packet-malformed", "packets whose lengths contradict each other", losses->malformed, false, false},
        {"hole", "stretches of bytes that were not captured", counts->holes, false, false},
        {"head-too-long", "connections with a message head beyond the limit", counts->heads_too_long, false,
         false},
        {"buffer", "segments dropped at the limit for bytes out of order", counts->buffer_drops, false,
         false},
        {"servers", "connections left out of the table of servers, which is full",
         ka_audit_servers_left_out(self->audit), false, false},
        {"clients", "connections left out of the table of clients, which is full",
         ka_audit_clients_left_out(self->audit), false, false},
        {"ledgers", "observations left out of the statistics of servers and clients, whose memory was full",
         ka_audit_observations_left_out(self->audit), false, false},
        {"pairs", "requests through a proxy that were forgotten before the end, or have no pair",
         ka_audit_pairs_left_out(self->audit), false, false},
        {"what-if", "connections not replayed, whose memory (--memory) was full",
         self->what_if ? what_if_left_out(self->what_if) : 0, false, false},
        {"what-if-servers",
         "servers replayed without their names and inferred timeouts, whose memory was full",
         self->what_if ? what_if_servers_unknown(self->what_if) : 0, false, false},
        {"evicted", "connections dropped to stay within the memory limit", counts->evicted, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        incomplete_add(list, rows[i]);
    for (size_t i = 0; i < self->inputs.notes.count; i++)
        incomplete_add(list, (incomplete_row){"left-out", self->inputs.notes.lines[i], 1, false, true});
}

static void write_end(run *self)
{
    if (self->what_if)
        what_if_finish(self->what_if, self->last_ns);
    list_incomplete(self);
    report_end end = {
        .files = capture_input_count(self->capture),
        .packets = capture_packets(self->capture),
        .bytes = capture_bytes(self->capture),
        .first_ns = self->first_ns,
        .last_ns = self->last_ns,
        .incomplete = &self->incomplete,
    };
    report_finish(self->report, &end);
    if (self->result)
        outcome_set(self->result, &end, report_tally(self->report));
}

/* The highest status that applies. */
static int judge(run *self)
{
    const options *settings = &self->settings;
    FILE *out = self->out;
    self->out = NULL;
    if (output_close(settings, out, report_error(self->report)) != EXIT_DONE)
        return EXIT_UNWRITTEN;
    if (self->incomplete.unread)
        return EXIT_UNREAD;
    if (settings->has_fail_on && tally_reaches(report_tally(self->report), settings->fail_on))
        return EXIT_FOUND;
    return EXIT_DONE;
}

static void close_all(run *self)
{
    if (self->streams)
        stream_table_free(self->streams);
    if (self->audit)
        ka_audit_free(self->audit);
    packet_decoder_free(self->decoder);
    report_free(self->report);
    budget_fini(&self->memory);
    capture_filter_free(self->filter);
    what_if_free(self->what_if);
    if (self->capture)
        capture_close(self->capture);
    paths_fini(&self->inputs);
    if (self->out)
        fclose(self->out);
}

int run_capture(const options *settings, outcome *result)
{
    static run self; /* large: the segments ahead, the list of problems */
    self.settings = *settings;
    self.result = result;
    self.first_ns = self.last_ns = KA_NONE;
    budget_init(&self.memory, settings->memory_bytes, settings->asks_what_if);
    capture_on_interrupt(watch_wait);
    int status = open_all(&self);
    if (status == EXIT_DONE) {
        read_all(&self);
        write_end(&self);
        status = judge(&self);
    }
    close_all(&self);
    return status;
}
