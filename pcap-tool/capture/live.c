/* live.c - packets of network interfaces, as they come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "live.h"

#include "source.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SNAP_BYTES = 262144,           /* libpcap's largest: whole packets, of offloading, too */
    BUFFER_BYTES = 64 << 20,       /* of the kernel, for each interface: a second of 500 Mbit/s */
    WAIT_MS = 500,                 /* without a packet, until time is told to have passed */
    LINGER_MS = 2 * LIVE_BATCH_MS, /* after the end, for what the kernel has not handed over */
    LAG_MS = 1000,                 /* packets are handed over after LIVE_BATCH_MS, on a busy machine later */
};
#define SECOND_NS      INT64_C(1000000000)
#define MILLISECOND_NS INT64_C(1000000)

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

int64_t live_time_ns(void)
{
    return clock_ns(CLOCK_REALTIME) - LAG_MS * MILLISECOND_NS;
}

/* ---- Counters of the interface itself ---- */

/* Opened early: later there may be no right to. (libpcap reads them, too, but opens them each time.) */
static void open_drop_files(live_interface *self)
{
    static const char *const counters[2] = {"rx_missed_errors", "rx_fifo_errors"};
    for (int i = 0; i < 2; i++) {
        char path[128];
        int length = snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", self->name, counters[i]);
        bool fits = length < (int)sizeof path && strchr(self->name, '/') == NULL;
        self->drop_files[i] = fits ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    }
}

static uint64_t interface_drops(const live_interface *self)
{
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        char text[32];
        ssize_t got = self->drop_files[i] < 0 ? 0 : pread(self->drop_files[i], text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = '\0';
        sum += strtoull(text, NULL, 10);
    }
    return sum;
}

static uint64_t kernel_drops(const live_interface *self)
{
    struct pcap_stat counts;
    if (self->pcap == NULL || pcap_stats(self->pcap, &counts) != 0)
        return self->dropped;
    return counts.ps_drop;
}

void live_drops(const live *self, uint64_t *by_kernel, uint64_t *by_interface)
{
    *by_kernel = *by_interface = 0;
    for (size_t i = 0; i < self->count; i++) {
        const live_interface *each = &self->interfaces[i];
        uint64_t now = interface_drops(each);
        *by_kernel += kernel_drops(each);
        *by_interface += now > each->drops_before ? now - each->drops_before : 0;
    }
}

/* ---- Opening ---- */

/* What to do about it, where that is known. */
static void tell_unopened(const live_interface *self, int status, char *error)
{
    const char *name = self->name;
    const char *why = pcap_geterr(self->pcap);
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED)
        snprintf(error, CAPTURE_ERROR_BYTES,
                 "%s: no right to capture: run as root, or once: setcap cap_net_raw+ep \"$(command -v "
                 "keptalive)\"",
                 name);
    else if (status == PCAP_ERROR_NO_SUCH_DEVICE)
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: there is no such interface (ip link shows them)", name);
    else if (status == PCAP_ERROR_IFACE_NOT_UP)
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: is down (ip link set %s up)", name, name);
    else
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: cannot be captured: %s", name,
                 status == PCAP_ERROR && why[0] != '\0' ? why : pcap_statustostr(status));
}

/* A copy of each packet comes from the interface it passed; link type 2 says which that was. */
static void prefer_interface_names(pcap_t *pcap)
{
    if (pcap_datalink(pcap) == DLT_LINUX_SLL)
        pcap_set_datalink(pcap, DLT_LINUX_SLL2);
}

/* Not in immediate mode: waking for each packet would cost more than the packet, and loses some of a burst.
 */
static bool activate(live_interface *self, char *error)
{
    pcap_set_snaplen(self->pcap, SNAP_BYTES);
    pcap_set_promisc(self->pcap, strcmp(self->name, "any") != 0);
    pcap_set_timeout(self->pcap, LIVE_BATCH_MS);
    pcap_set_buffer_size(self->pcap, BUFFER_BYTES);
    pcap_set_tstamp_precision(self->pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(self->pcap);
    if (status < 0)
        tell_unopened(self, status, error);
    return status >= 0;
}

static bool set_filter(live_interface *self, const char *expression, char *error)
{
    struct bpf_program program;
    if (expression == NULL)
        return true;
    if (pcap_compile(self->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        snprintf(error, CAPTURE_ERROR_BYTES, "filter \"%s\": %s (for %s)", expression,
                 pcap_geterr(self->pcap), self->name);
        return false;
    }
    bool is_set = pcap_setfilter(self->pcap, &program) == 0;
    if (!is_set)
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: %s", self->name, pcap_geterr(self->pcap));
    pcap_freecode(&program);
    return is_set;
}

static bool open_interface(live_interface *self, const char *filter, char *error, capture_failure *why)
{
    char text[PCAP_ERRBUF_SIZE];
    self->pcap = pcap_create(self->name, text);
    *why = CAPTURE_FAILED_READING;
    if (self->pcap == NULL) {
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: %s", self->name, text);
        return false;
    }
    if (!activate(self, error))
        return false;
    prefer_interface_names(self->pcap);
    *why = CAPTURE_FAILED_USAGE;
    if (!set_filter(self, filter, error))
        return false;
    *why = CAPTURE_FAILED_READING;
    if (pcap_setnonblock(self->pcap, 1, text) != 0 || pcap_get_selectable_fd(self->pcap) < 0) {
        snprintf(error, CAPTURE_ERROR_BYTES, "%s: cannot be waited for: %s", self->name, text);
        return false;
    }
    self->link_type = pcap_datalink(self->pcap);
    self->has_nanoseconds = pcap_get_tstamp_precision(self->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    self->drops_before = interface_drops(self);
    return true;
}

static bool open_interfaces(live *self, const capture_live_options *options, char *error,
                            capture_failure *why)
{
    for (; self->count < options->interface_count; self->count++) {
        live_interface *each = &self->interfaces[self->count];
        each->name = options->interfaces[self->count];
        open_drop_files(each);
        if (!open_interface(each, options->filter, error, why)) {
            self->count++; /* it is half open */
            return false;
        }
    }
    return true;
}

static bool open_ring(live *self, const capture_ring_options *options, char *error, capture_failure *why)
{
    *why = CAPTURE_FAILED_WRITING;
    ring_interface *described = calloc(self->count, sizeof *described);
    for (size_t i = 0; described != NULL && i < self->count; i++)
        described[i] = (ring_interface){self->interfaces[i].name, self->interfaces[i].link_type};
    bool is_open = described != NULL && ring_init(&self->ring, options, described, self->count, error);
    if (described == NULL)
        snprintf(error, CAPTURE_ERROR_BYTES, "out of memory");
    free(described);
    return is_open;
}

live *live_new(const capture_live_options *options, char error[CAPTURE_ERROR_BYTES], capture_failure *why)
{
    if (options->interface_count > CAPTURE_INTERFACES_MAX) {
        snprintf(error, CAPTURE_ERROR_BYTES, "more than %d interfaces are too many",
                 (int)CAPTURE_INTERFACES_MAX);
        *why = CAPTURE_FAILED_USAGE;
        return NULL;
    }
    live *self = calloc(1, sizeof *self);
    if (self != NULL)
        self->interfaces = calloc(options->interface_count, sizeof *self->interfaces);
    if (self == NULL || self->interfaces == NULL) {
        snprintf(error, CAPTURE_ERROR_BYTES, "out of memory");
        *why = CAPTURE_FAILED_READING;
        live_free(self);
        return NULL;
    }
    if (!open_interfaces(self, options, error, why) ||
        (options->ring.path != NULL && !open_ring(self, &options->ring, error, why))) {
        live_free(self);
        return NULL;
    }
    self->end_ns = INT64_MAX;
    if (options->duration_ns > 0)
        self->end_ns = clock_ns(CLOCK_MONOTONIC) + options->duration_ns;
    return self;
}

static void end_interface(live_interface *self)
{
    self->dropped = kernel_drops(self);
    if (self->pcap != NULL)
        pcap_close(self->pcap);
    self->pcap = NULL;
    self->header = NULL;
}

void live_free(live *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        live_interface *each = &self->interfaces[i];
        end_interface(each);
        for (int file = 0; file < 2; file++) {
            if (each->drop_files[file] >= 0)
                close(each->drop_files[file]);
        }
    }
    ring_fini(&self->ring);
    free(self->interfaces);
    free(self);
}

/* ---- Reading ---- */

/* Makes its next packet ready, if there is one. */
static void fill(live_interface *self, problem_list *problems)
{
    int result = pcap_next_ex(self->pcap, &self->header, &self->bytes);
    if (result == 1) {
        int64_t unit_ns = self->has_nanoseconds ? 1 : 1000;
        self->time_ns = self->header->ts.tv_sec * SECOND_NS + self->header->ts.tv_usec * unit_ns;
        return;
    }
    self->header = NULL;
    if (result == 0)
        return;
    problems_add(problems, "%s: capturing ended: %s", self->name, pcap_geterr(self->pcap));
    end_interface(self);
}

/* The one whose packet is the earliest of those that are ready; NULL: none is. */
static live_interface *earliest(live *self, problem_list *problems)
{
    live_interface *found = NULL;
    for (size_t i = 0; i < self->count; i++) {
        live_interface *each = &self->interfaces[i];
        if (each->pcap != NULL && each->header == NULL)
            fill(each, problems);
        if (each->header != NULL && (found == NULL || each->time_ns < found->time_ns))
            found = each;
    }
    return found;
}

static void wait_for_packets(const live *self, int64_t now_ns)
{
    struct pollfd wanted[CAPTURE_INTERFACES_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        pcap_t *pcap = self->interfaces[i].pcap;
        if (pcap != NULL)
            wanted[count++] = (struct pollfd){.fd = pcap_get_selectable_fd(pcap), .events = POLLIN};
    }
    int64_t left_ms = self->end_ns == INT64_MAX ? WAIT_MS : (self->end_ns - now_ns) / MILLISECOND_NS + 1;
    if (left_ms <= 0)
        left_ms = LINGER_MS;
    poll(wanted, count, left_ms < WAIT_MS ? (int)left_ms : WAIT_MS);
}

/* Whether the end has come, by the clock or by a signal, and what the kernel held back then was read. */
static bool has_ended(live *self, int64_t now_ns)
{
    if (now_ns < self->end_ns && source_gives_up())
        self->end_ns = now_ns;
    bool any = false;
    for (size_t i = 0; i < self->count; i++)
        any |= self->interfaces[i].pcap != NULL;
    return !any || (self->end_ns != INT64_MAX && now_ns >= self->end_ns + LINGER_MS * MILLISECOND_NS);
}

live_status live_next(live *self, capture_packet *out, problem_list *problems)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (has_ended(self, now_ns)) {
        ring_flush(&self->ring, problems);
        return LIVE_END;
    }
    if (self->waits)
        wait_for_packets(self, now_ns);
    live_interface *from = earliest(self, problems);
    self->waits = from == NULL;
    if (from == NULL) {
        ring_flush(&self->ring, problems);
        return LIVE_QUIET;
    }
    *out = (capture_packet){
        .time_ns = from->time_ns,
        .bytes = from->bytes,
        .captured_bytes = from->header->caplen,
        .wire_bytes = from->header->len,
        .link_type = from->link_type,
        .interface = (uint16_t)(from - self->interfaces),
    };
    from->header = NULL; /* its bytes stay until the next packet of this interface is asked for */
    return LIVE_PACKET;
}

void live_keep(live *self, const capture_packet *packet, problem_list *problems)
{
    ring_keep(&self->ring, packet, problems);
}

bool live_find(const live *self, uint64_t frame, const char **file, uint64_t *file_frame)
{
    return ring_find(&self->ring, frame, file, file_frame);
}

int64_t live_tick_ns(const live *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (!self->interfaces[i].has_nanoseconds)
            return 1000;
    }
    return 1;
}
