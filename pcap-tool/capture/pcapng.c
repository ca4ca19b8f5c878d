/* pcapng.c - a reader of pcapng files of our own: several sections and interfaces, of any kind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pcapng.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    /* Wireshark gives these frame numbers, too (epan 4.0, seen with tshark). */
    BLOCK_JOURNAL = 9,
    BLOCK_SYSDIG = 0x204,
    BLOCK_SYSDIG_V2 = 0x216,
    BLOCK_SYSDIG_V2_LARGE = 0x221,
    BLOCK_CUSTOM = 0xbad,
    BLOCK_CUSTOM_NOT_COPIED = 0x40000bad,
};

enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d, SECTION_MAJOR = 1 };
enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };
/* Bytes of the fixed parts of blocks, without type and the two lengths. */
enum {
    SECTION_BYTES = 16,
    INTERFACE_BYTES = 8,
    PACKET_BYTES = 20,
    SIMPLE_BYTES = 4,
    HEAD_BYTES = 8,
    FRAME_BYTES = 12, /* HEAD_BYTES and the length again at the end */
};

static uint16_t get16(const pcapng *self, const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return self->is_swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const pcapng *self, const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return self->is_swapped ? __builtin_bswap32(value) : value;
}

static uint64_t get64(const pcapng *self, const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return self->is_swapped ? __builtin_bswap64(value) : value;
}

__attribute__((format(printf, 2, 3))) static pcapng_status damaged(pcapng *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->why, sizeof self->why, format, arguments);
    va_end(arguments);
    return PCAPNG_DAMAGED;
}

/* ---- Blocks ---- */

/* Type, and body without the lengths around it; the body of a block that is stepped over is not there. */
typedef struct block {
    uint32_t type;
    uint32_t body_bytes;
    const uint8_t *body;
} block;

static pcapng_status read_exactly(pcapng *self, uint8_t *out, size_t len_bytes)
{
    return fread(out, 1, len_bytes, self->file) == len_bytes ? PCAPNG_PACKET : PCAPNG_CUT;
}

static bool make_room(pcapng *self, size_t len_bytes)
{
    if (len_bytes <= self->block_room)
        return true;
    uint8_t *grown = self->allocator.resize(self->allocator.user, self->block, len_bytes);
    if (grown == NULL)
        return false;
    self->block = grown;
    self->block_room = len_bytes;
    return true;
}

static bool has_packets_use(uint32_t type)
{
    return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_SIMPLE ||
           type == BLOCK_ENHANCED;
}

/* A body nobody looks at may be of any length: it goes through a small buffer. */
static pcapng_status step_over(pcapng *self, uint32_t body_bytes)
{
    uint8_t piece[4096];
    while (body_bytes > 0) {
        uint32_t now = body_bytes < sizeof piece ? body_bytes : (uint32_t)sizeof piece;
        if (read_exactly(self, piece, now) != PCAPNG_PACKET)
            return PCAPNG_CUT;
        body_bytes -= now;
    }
    return PCAPNG_PACKET;
}

/* The length of a section header is in the byte order that its body tells: both are read before it is used.
 */
static pcapng_status read_order(pcapng *self)
{
    uint32_t magic;
    if (read_exactly(self, self->block, sizeof magic) != PCAPNG_PACKET)
        return PCAPNG_CUT;
    memcpy(&magic, self->block, sizeof magic);
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return damaged(self, "a section header without its byte-order magic");
    self->is_swapped = magic != BYTE_ORDER_MAGIC;
    return PCAPNG_PACKET;
}

static pcapng_status read_body(pcapng *self, uint32_t order_bytes, block *out)
{
    out->body = self->block;
    if (!has_packets_use(out->type))
        return step_over(self, out->body_bytes);
    if (out->body_bytes > PCAPNG_BLOCK_MAX)
        return damaged(self, "a block of %u bytes", (unsigned)out->body_bytes);
    if (out->body_bytes < order_bytes)
        return damaged(self, "a section header of %u bytes", (unsigned)out->body_bytes);
    if (!make_room(self, out->body_bytes))
        return damaged(self, "not enough memory for a block of %u bytes", (unsigned)out->body_bytes);
    out->body = self->block;
    return read_exactly(self, self->block + order_bytes, out->body_bytes - order_bytes);
}

/* PCAPNG_PACKET: *out is set. PCAPNG_END: the file ends before the block. */
static pcapng_status read_block(pcapng *self, block *out)
{
    uint8_t head[HEAD_BYTES];
    size_t got = fread(head, 1, sizeof head, self->file);
    if (got < sizeof head)
        return got == 0 && !ferror(self->file) ? PCAPNG_END : PCAPNG_CUT;
    uint32_t order_bytes = 0;
    pcapng_status status = PCAPNG_PACKET;
    out->type = get32(self, head);
    if (self->offset == 0 && out->type != BLOCK_SECTION)
        return damaged(self, "no section header");
    if (out->type == BLOCK_SECTION) {
        order_bytes = sizeof(uint32_t);
        status = read_order(self);
    }
    if (status != PCAPNG_PACKET)
        return status;
    uint32_t length = get32(self, head + 4);
    uint32_t padded = (length + 3) & ~UINT32_C(3); /* early writers padded, and did not count it */
    if (length < FRAME_BYTES || padded < length)
        return damaged(self, "a block of %u bytes", (unsigned)length);
    out->body_bytes = padded - FRAME_BYTES;
    status = read_body(self, order_bytes, out);
    if (status != PCAPNG_PACKET)
        return status;
    uint8_t tail[4];
    if (read_exactly(self, tail, sizeof tail) != PCAPNG_PACKET)
        return PCAPNG_CUT;
    if (get32(self, tail) != length)
        return damaged(self, "a block whose lengths at its two ends differ");
    self->offset += padded;
    return PCAPNG_PACKET;
}

/* ---- Sections and interfaces ---- */

static pcapng_status on_section(pcapng *self, const block *section)
{
    if (section->body_bytes < SECTION_BYTES)
        return damaged(self, "a section header of %u bytes", (unsigned)section->body_bytes);
    unsigned major = get16(self, section->body + 4);
    if (major != SECTION_MAJOR)
        return damaged(self, "a section of version %u", major);
    self->interface_count = 0;
    return PCAPNG_PACKET;
}

/* libpcap's numbers for a few of the file format's (pcap_datalink(3PCAP)), so that both readers tell the same
 * and filters compile. */
static int link_type_of(uint16_t link_type)
{
    switch (link_type) {
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 102:
        return DLT_SLIP_BSDOS;
    case 103:
        return DLT_PPP_BSDOS;
    case 106:
        return DLT_ATM_CLIP;
    default:
        return link_type;
    }
}

static pcapng_status read_options(pcapng *self, const uint8_t *at, const uint8_t *end, pcapng_clock *clock)
{
    while (end - at >= 4) {
        uint16_t code = get16(self, at);
        uint16_t len_bytes = get16(self, at + 2);
        size_t padded = ((size_t)len_bytes + 3) & ~(size_t)3;
        at += 4;
        if (code == OPTION_END)
            break;
        if (padded > (size_t)(end - at))
            return damaged(self, "an interface's option longer than its block");
        if (code == OPTION_TSRESOL && len_bytes == 1 && !pcapng_clock_set(clock, *at))
            return damaged(self, "an interface with an impossible time stamp resolution (%u)", *at);
        if (code == OPTION_TSOFFSET && len_bytes == 8)
            clock->offset_s = (int64_t)get64(self, at);
        at += padded;
    }
    return PCAPNG_PACKET;
}

static pcapng_interface *add_interface(pcapng *self)
{
    if (self->interface_count == self->interface_room) {
        size_t room = self->interface_room == 0 ? 4 : self->interface_room * 2;
        pcapng_interface *grown =
            self->allocator.resize(self->allocator.user, self->interfaces, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        self->interfaces = grown;
        self->interface_room = room;
    }
    return &self->interfaces[self->interface_count];
}

static pcapng_status on_interface(pcapng *self, const block *description)
{
    const uint8_t *body = description->body;
    if (description->body_bytes < INTERFACE_BYTES)
        return damaged(self, "an interface description of %u bytes", (unsigned)description->body_bytes);
    if (self->interface_count == PCAPNG_INTERFACES_MAX)
        return damaged(self, "more than %d interfaces", (int)PCAPNG_INTERFACES_MAX);
    pcapng_interface *added = add_interface(self);
    if (added == NULL)
        return damaged(self, "not enough memory for its interfaces");
    *added = (pcapng_interface){.link_type = link_type_of(get16(self, body)),
                                .snap_bytes = get32(self, body + 4),
                                .clock = PCAPNG_CLOCK_DEFAULT};
    pcapng_status status =
        read_options(self, body + INTERFACE_BYTES, body + description->body_bytes, &added->clock);
    if (status == PCAPNG_PACKET)
        self->interface_count++;
    return status;
}

/* ---- Packets ---- */

static pcapng_status set_packet(pcapng *self, const block *from, uint32_t interface, uint32_t header_bytes,
                                pcapng_packet *out)
{
    if (interface >= self->interface_count)
        return damaged(self, "a packet of interface %u, of %zu that are described", (unsigned)interface,
                       self->interface_count);
    if (out->header.caplen > from->body_bytes - header_bytes)
        return damaged(self, "a packet of %u bytes in a block of %u", (unsigned)out->header.caplen,
                       (unsigned)from->body_bytes);
    out->interface = &self->interfaces[interface];
    out->bytes = from->body + header_bytes;
    return PCAPNG_PACKET;
}

/* The obsolete block has 16 bits of interface and a count of drops; the rest is the same. */
static pcapng_status on_packet(pcapng *self, const block *packet, pcapng_packet *out)
{
    const uint8_t *body = packet->body;
    if (packet->body_bytes < PACKET_BYTES)
        return damaged(self, "a packet block of %u bytes", (unsigned)packet->body_bytes);
    uint32_t interface = packet->type == BLOCK_PACKET ? get16(self, body) : get32(self, body);
    out->header.caplen = get32(self, body + 12);
    out->header.len = get32(self, body + 16);
    pcapng_status status = set_packet(self, packet, interface, PACKET_BYTES, out);
    if (status != PCAPNG_PACKET)
        return status;
    uint64_t ticks = (uint64_t)get32(self, body + 4) << 32 | get32(self, body + 8);
    out->header.ts = pcapng_clock_time(&out->interface->clock, ticks);
    out->has_time = true;
    return PCAPNG_PACKET;
}

/* Of the section's first interface, without a time; what was captured follows from the other lengths. */
static pcapng_status on_simple(pcapng *self, const block *packet, pcapng_packet *out)
{
    if (packet->body_bytes < SIMPLE_BYTES)
        return damaged(self, "a packet block of %u bytes", (unsigned)packet->body_bytes);
    uint32_t snap_bytes = self->interface_count > 0 ? self->interfaces[0].snap_bytes : 0;
    out->header.len = get32(self, packet->body);
    out->header.caplen = snap_bytes != 0 && snap_bytes < out->header.len ? snap_bytes : out->header.len;
    out->header.ts = (struct timeval){0};
    out->has_time = false;
    return set_packet(self, packet, 0, SIMPLE_BYTES, out);
}

static bool has_frame_number(uint32_t type)
{
    return type == BLOCK_JOURNAL || type == BLOCK_SYSDIG || type == BLOCK_SYSDIG_V2 ||
           type == BLOCK_SYSDIG_V2_LARGE || type == BLOCK_CUSTOM || type == BLOCK_CUSTOM_NOT_COPIED;
}

pcapng_status pcapng_next(pcapng *self, pcapng_packet *out)
{
    out->skipped = 0;
    for (;;) {
        block next = {0};
        pcapng_status status = read_block(self, &next);
        if (status != PCAPNG_PACKET)
            return status;
        switch (next.type) {
        case BLOCK_ENHANCED:
        case BLOCK_PACKET:
            return on_packet(self, &next, out);
        case BLOCK_SIMPLE:
            return on_simple(self, &next, out);
        case BLOCK_SECTION:
            status = on_section(self, &next);
            break;
        case BLOCK_INTERFACE:
            status = on_interface(self, &next);
            break;
        default:
            out->skipped += has_frame_number(next.type);
        }
        if (status != PCAPNG_PACKET)
            return status;
    }
}

/* ---- Opening and closing ---- */

pcapng_status pcapng_open(pcapng *self, FILE *file, memory_share *memory)
{
    *self = (pcapng){.file = file, .allocator = memory_allocator(memory)};
    if (!make_room(self, sizeof(uint32_t))) /* read_order comes before the block's length is known */
        return damaged(self, "not enough memory");
    block first = {0};
    pcapng_status status = read_block(self, &first);
    if (status != PCAPNG_PACKET)
        return status == PCAPNG_END ? PCAPNG_CUT : status;
    return on_section(self, &first);
}

void pcapng_close(pcapng *self)
{
    if (self->file != NULL)
        fclose(self->file);
    if (self->block != NULL)
        self->allocator.resize(self->allocator.user, self->block, 0);
    if (self->interfaces != NULL)
        self->allocator.resize(self->allocator.user, self->interfaces, 0);
    *self = (pcapng){.file = NULL};
}
