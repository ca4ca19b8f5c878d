/* ring.c - the newest packets of a live capture, in a ring of pcapng files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pcapng, because a pcap file takes packets of one link type only. Blocks are those of
 * draft-ietf-opsawg-pcapng, in this machine's byte order.
 */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WAITING_BYTES = 1 << 20, /* written at once; more than the largest packet */
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_NAME = 2,       /* if_name */
    OPTION_RESOLUTION = 9, /* if_tsresol */
    NANOSECONDS = 9,
    INTERFACE_BYTES_MAX = 128, /* an interface's name has at most 15 */
    SECTION_BYTES = 28,
    PACKET_BYTES = 32, /* of its block, without the packet */
};

/* ---- Blocks ---- */

static uint32_t padded(uint32_t bytes)
{
    return (bytes + 3) & ~3u;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len_bytes)
{
    memcpy(at, bytes, len_bytes);
    return at + len_bytes;
}

static uint8_t *put16(uint8_t *at, uint16_t value)
{
    return put(at, &value, sizeof value);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put(at, &value, sizeof value);
}

static uint8_t *put_section(uint8_t *at)
{
    at = put32(at, BLOCK_SECTION);
    at = put32(at, SECTION_BYTES);
    at = put32(at, BYTE_ORDER_MAGIC);
    at = put16(at, 1); /* version 1.0 */
    at = put16(at, 0);
    at = put(at, &(int64_t){-1}, sizeof(int64_t)); /* its length is not told */
    return put32(at, SECTION_BYTES);
}

/* The few DLT_ numbers that differ between systems have others in files. */
static uint16_t link_type_of_file(int link_type)
{
    if (link_type == DLT_RAW)
        return 101;
    return (uint16_t)(link_type == DLT_ATM_RFC1483 ? 100 : link_type);
}

static uint8_t *put_interface(uint8_t *at, const ring_interface *interface)
{
    static const uint8_t zeros[4];
    size_t name_bytes = strnlen(interface->name, INTERFACE_BYTES_MAX / 2);
    uint8_t *length = at + 4;
    at = put32(at, BLOCK_INTERFACE);
    at = put32(at, 0);
    at = put16(at, link_type_of_file(interface->link_type));
    at = put16(at, 0);
    at = put32(at, 0); /* no limit of length */
    at = put16(at, OPTION_NAME);
    at = put16(at, (uint16_t)name_bytes);
    at = put(at, interface->name, name_bytes);
    at = put(at, zeros, padded((uint32_t)name_bytes) - name_bytes);
    at = put16(at, OPTION_RESOLUTION);
    at = put16(at, 1);
    at = put32(at, 0);
    at[-4] = NANOSECONDS;
    at = put32(at, 0); /* end of options */
    put32(length, (uint32_t)(at + 4 - (length - 4)));
    return put(at, length, 4);
}

static uint8_t *put_packet(uint8_t *at, const capture_packet *packet)
{
    static const uint8_t zeros[4];
    uint32_t length = PACKET_BYTES + padded(packet->captured_bytes);
    uint64_t time_ns = packet->time_ns > 0 ? (uint64_t)packet->time_ns : 0;
    at = put32(at, BLOCK_PACKET);
    at = put32(at, length);
    at = put32(at, packet->interface);
    at = put32(at, (uint32_t)(time_ns >> 32));
    at = put32(at, (uint32_t)time_ns);
    at = put32(at, packet->captured_bytes);
    at = put32(at, packet->wire_bytes);
    at = put(at, packet->bytes, packet->captured_bytes);
    at = put(at, zeros, padded(packet->captured_bytes) - packet->captured_bytes);
    return put32(at, length);
}

/* ---- Files ---- */

static bool write_all(int descriptor, const uint8_t *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t written = write(descriptor, bytes, len_bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        len_bytes -= (size_t)written;
    }
    return true;
}

/* "DIR/ring.pcapng" to "DIR/ring-03.pcapng"; as many digits as the largest number has. */
static char *path_of(const capture_ring_options *options, unsigned number)
{
    const char *path = options->path;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t stem = dot != NULL && dot != name ? (size_t)(dot - path) : strlen(path);
    int digits = snprintf(NULL, 0, "%u", options->file_count);
    char *result;
    if (asprintf(&result, "%.*s-%0*u%s", (int)stem, path, digits, number, path + stem) < 0)
        return NULL;
    return result;
}

/* Captures hold what users said: nobody else may read them. */
static bool make_file(ring_file *file, const capture_ring_options *options, const ring *self)
{
    file->descriptor =
        open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return file->descriptor >= 0 && fchown(file->descriptor, options->owner, options->group) == 0 &&
           write_all(file->descriptor, self->head, self->head_bytes);
}

static bool make_head(ring *self, const ring_interface *interfaces, size_t count)
{
    self->head = malloc(SECTION_BYTES + count * INTERFACE_BYTES_MAX);
    self->waiting = malloc(WAITING_BYTES);
    if (self->head == NULL || self->waiting == NULL)
        return false;
    uint8_t *at = put_section(self->head);
    for (size_t i = 0; i < count; i++)
        at = put_interface(at, &interfaces[i]);
    self->head_bytes = (size_t)(at - self->head);
    return true;
}

bool ring_init(ring *self, const capture_ring_options *options, const ring_interface *interfaces,
               size_t count, char error[CAPTURE_ERROR_BYTES])
{
    *self = (ring){.max_bytes = options->file_bytes};
    self->files = calloc(options->file_count, sizeof *self->files);
    if (self->files == NULL || !make_head(self, interfaces, count)) {
        snprintf(error, CAPTURE_ERROR_BYTES, "out of memory");
        return false;
    }
    self->bytes = (int64_t)self->head_bytes;
    for (unsigned i = 0; i < options->file_count; i++) {
        ring_file *file = &self->files[self->count++];
        file->descriptor = -1;
        file->path = path_of(options, i + 1);
        if (file->path == NULL || !make_file(file, options, self)) {
            snprintf(error, CAPTURE_ERROR_BYTES, "--ring: %s: %s", file->path != NULL ? file->path : "",
                     strerror(file->path != NULL ? errno : ENOMEM));
            return false;
        }
    }
    return true;
}

void ring_fini(ring *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        if (self->files[i].descriptor >= 0)
            close(self->files[i].descriptor);
        free(self->files[i].path);
    }
    free(self->files);
    free(self->head);
    free(self->waiting);
    *self = (ring){.count = 0};
}

/* ---- Keeping ---- */

static void fail(ring *self, problem_list *problems)
{
    self->has_failed = true;
    problems_add(problems, "%s: cannot be written: %s; packets were kept no more", self->files[self->at].path,
                 strerror(errno));
}

void ring_flush(ring *self, problem_list *problems)
{
    if (self->waiting_bytes == 0 || self->has_failed)
        return;
    if (!write_all(self->files[self->at].descriptor, self->waiting, self->waiting_bytes))
        fail(self, problems);
    self->waiting_bytes = 0;
}

/* Goes on in the oldest file, whose packets are lost now. */
static void turn(ring *self, problem_list *problems)
{
    ring_flush(self, problems);
    self->at = (self->at + 1) % self->count;
    ring_file *file = &self->files[self->at];
    file->frame_count = 0;
    self->bytes = (int64_t)self->head_bytes;
    if (!self->has_failed && (ftruncate(file->descriptor, (off_t)self->head_bytes) != 0 ||
                              lseek(file->descriptor, 0, SEEK_END) < 0))
        fail(self, problems);
}

void ring_keep(ring *self, const capture_packet *packet, problem_list *problems)
{
    if (self->count == 0 || self->has_failed)
        return;
    size_t len_bytes = PACKET_BYTES + padded(packet->captured_bytes);
    if (self->bytes + (int64_t)len_bytes > self->max_bytes)
        turn(self, problems);
    if (len_bytes > WAITING_BYTES - self->waiting_bytes)
        ring_flush(self, problems);
    if (self->has_failed)
        return;
    put_packet(self->waiting + self->waiting_bytes, packet);
    self->waiting_bytes += len_bytes;
    self->bytes += (int64_t)len_bytes;
    ring_file *file = &self->files[self->at];
    if (file->frame_count++ == 0)
        file->first_frame = packet->frame;
}

bool ring_find(const ring *self, uint64_t frame, const char **file, uint64_t *file_frame)
{
    for (unsigned i = 0; i < self->count; i++) {
        const ring_file *each = &self->files[i];
        if (frame < each->first_frame || frame - each->first_frame >= each->frame_count)
            continue;
        *file = each->path;
        *file_frame = frame - each->first_frame + 1;
        return true;
    }
    return false;
}
