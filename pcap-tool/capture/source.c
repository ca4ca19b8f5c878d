/* source.c - the bytes of a file, a pipe or standard input, decompressed where they are compressed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "source.h"

#include "decoder.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Compressed bytes, of which system calls hardly count; that is all that waits to be decompressed. */
enum { COMPRESSED_BYTES = 32 * 1024 };

/* A signal that comes just before the waiting begins is seen so much later. */
enum { WAIT_MS = 500 };

typedef enum source_state {
    SOURCE_NEW,    /* all that is known is the first byte */
    SOURCE_PLAIN,  /* not compressed, in spite of its first byte */
    SOURCE_PACKED, /* compressed */
    SOURCE_CUT,    /* compressed, and the end is missing */
    SOURCE_BROKEN, /* compressed, and damaged */
    SOURCE_LACKS_LIBRARY,
} source_state;

struct source {
    int descriptor;
    source_state state;
    const decoder_kind *kind;
    void *decoder;
    const char *why;    /* SOURCE_BROKEN */
    bool has_ended;     /* the file has */
    bool is_between;    /* frames; what follows is another one, zeros, or nothing */
    bool is_given_up;   /* a signal ended the reading */
    memory_claim claim; /* of this, whose decoder counts its own */
    uint64_t offset;    /* in the file, of the end of what was read */
    const uint8_t *at;  /* the next byte that was read and not taken */
    size_t left;        /* how many there are of those */
    uint8_t buffer[COMPRESSED_BYTES];
};

/* Signals are the process's, and so is what answers them. */
static bool (*gives_up)(void);

void source_on_interrupt(bool (*ask)(void))
{
    gives_up = ask;
}

bool source_gives_up(void)
{
    return gives_up != NULL && gives_up();
}

/* Until there is something to read, or the end. False: given up. */
static bool wait_for(int descriptor)
{
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    int ready;
    while ((ready = poll(&wanted, 1, WAIT_MS)) == 0 || (ready < 0 && errno == EINTR)) {
        if (source_gives_up())
            return false;
    }
    return true;
}

/* Goes on after a signal, unless who was asked gives up. Not by EINTR of read: signals restart that, because
 * what writes the report must not fail of them. */
static ssize_t read_on(int descriptor, void *out, size_t out_bytes)
{
    for (;;) {
        if (!wait_for(descriptor)) {
            errno = EINTR;
            return -1;
        }
        ssize_t got = read(descriptor, out, out_bytes);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
    }
}

static ssize_t read_more(source *self, void *out, size_t out_bytes)
{
    ssize_t got = read_on(self->descriptor, out, out_bytes);
    self->is_given_up |= got < 0 && errno == EINTR;
    return got;
}

/* Reads more behind what is there. False, and errno, when it fails. */
static bool fill(source *self)
{
    if (self->left == 0)
        self->at = self->buffer;
    uint8_t *end = self->buffer + (self->at - self->buffer) + self->left;
    ssize_t got = read_more(self, end, (size_t)(self->buffer + COMPRESSED_BYTES - end));
    if (got < 0)
        return false;
    self->has_ended = got == 0;
    self->left += (size_t)got;
    self->offset += (uint64_t)got;
    return true;
}

static bool recognise(source *self)
{
    while (self->left < DECODER_MAGIC_BYTES && !self->has_ended) {
        if (!fill(self))
            return false;
    }
    self->kind = decoder_recognise(self->at, self->left);
    self->state = self->kind == NULL         ? SOURCE_PLAIN
                  : self->kind->open == NULL ? SOURCE_LACKS_LIBRARY
                                             : SOURCE_PACKED;
    if (self->state != SOURCE_PACKED)
        return true;
    self->decoder = self->kind->open(self->claim.share);
    if (self->decoder == NULL)
        errno = ENOMEM;
    return self->decoder != NULL;
}

static ssize_t read_plain(source *self, char *out, size_t out_bytes)
{
    if (self->left == 0)
        return self->has_ended ? 0 : read_more(self, out, out_bytes);
    size_t taken = self->left < out_bytes ? self->left : out_bytes;
    memcpy(out, self->at, taken);
    self->at += taken;
    self->left -= taken;
    return (ssize_t)taken;
}

/* Files padded to whole blocks, as tapes are, end with zeros (gzip ignores them; xz defines them). */
static void skip_padding(source *self)
{
    while (self->left > 0 && *self->at == 0) {
        self->at++;
        self->left--;
    }
}

/* One turn of the decoder; how many bytes came out. */
static size_t step(source *self, char *out, size_t out_bytes)
{
    decoder_span span = {self->at, self->left, (uint8_t *)out, out_bytes};
    decoder_status status = self->kind->step(self->decoder, &span, &self->why);
    size_t taken = self->left - span.in_bytes;
    size_t made = out_bytes - span.out_bytes;
    self->at = span.in;
    self->left = span.in_bytes;
    self->is_between = status == DECODER_FRAME_ENDED;
    if (status == DECODER_DAMAGED) {
        self->state = SOURCE_BROKEN;
    } else if (status == DECODER_GOES_ON && taken == 0 && made == 0) {
        self->state = self->has_ended && self->left == 0 ? SOURCE_CUT : SOURCE_BROKEN;
        self->why = "impossible data";
    }
    return made;
}

static ssize_t read_packed(source *self, char *out, size_t out_bytes)
{
    size_t made = 0;
    while (made == 0 && self->state == SOURCE_PACKED) {
        if (self->left == 0 && !self->has_ended && !fill(self))
            return -1;
        if (self->is_between)
            skip_padding(self);
        if (self->left > 0 || (self->has_ended && !self->is_between))
            made = step(self, out, out_bytes);
        else if (self->has_ended)
            return 0;
    }
    if (made > 0)
        return (ssize_t)made;
    errno = EIO;
    return -1;
}

static ssize_t read_cookie(void *cookie, char *out, size_t out_bytes)
{
    source *self = cookie;
    if (self->state == SOURCE_NEW && !recognise(self))
        return -1;
    return self->state == SOURCE_PLAIN ? read_plain(self, out, out_bytes) : read_packed(self, out, out_bytes);
}

static int close_cookie(void *cookie)
{
    source *self = cookie;
    if (self->decoder != NULL)
        self->kind->close(self->decoder);
    int result = close(self->descriptor);
    memory_claim_set(&self->claim, 0);
    free(self);
    return result;
}

static FILE *open_plain(int descriptor, char *buffer, size_t buffer_bytes)
{
    FILE *stream = fdopen(descriptor, "rb");
    if (stream == NULL)
        close(descriptor);
    else
        setvbuf(stream, buffer, _IOFBF, buffer_bytes);
    return stream;
}

static FILE *open_read_on(int descriptor, uint8_t first, char *buffer, size_t buffer_bytes,
                          memory_share *memory, source **out)
{
    memory_claim claim = {.share = memory};
    source *self = memory_claim_set(&claim, sizeof *self) ? malloc(sizeof *self) : NULL;
    if (self == NULL) {
        memory_claim_set(&claim, 0);
        close(descriptor);
        errno = ENOMEM;
        return NULL;
    }
    memset(self, 0, offsetof(source, buffer));
    self->descriptor = descriptor;
    self->claim = claim;
    self->buffer[0] = first;
    self->at = self->buffer;
    self->left = self->offset = 1;
    FILE *stream =
        fopencookie(self, "rb", (cookie_io_functions_t){.read = read_cookie, .close = close_cookie});
    if (stream == NULL) {
        close_cookie(self);
        return NULL;
    }
    setvbuf(stream, buffer, _IOFBF, buffer_bytes);
    *out = self;
    return stream;
}

/* Signals do not reach the reading of a regular file. */
static bool may_wait(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode);
}

FILE *source_open(int descriptor, char *buffer, size_t buffer_bytes, memory_share *memory, source **out)
{
    uint8_t first;
    ssize_t got = read_on(descriptor, &first, 1);
    *out = NULL;
    if (got < 0 && errno == EINTR) {
        close(descriptor);
        errno = EINTR;
        return NULL;
    }
    if (got == 1 && (decoder_may_start(first) || may_wait(descriptor)))
        return open_read_on(descriptor, first, buffer, buffer_bytes, memory, out);
    FILE *stream =
        open_plain(descriptor, buffer, buffer_bytes); /* a read that failed will fail again there */
    if (stream != NULL && got == 1)
        ungetc(first, stream);
    return stream;
}

uint64_t source_position(const source *self)
{
    return self->offset;
}

bool source_given_up(const source *self)
{
    return self != NULL && self->is_given_up;
}

bool source_fault(const source *self, char text[SOURCE_FAULT_BYTES])
{
    if (self == NULL)
        return false;
    unsigned long long place = self->offset - self->left;
    switch (self->state) {
    case SOURCE_CUT:
        snprintf(text, SOURCE_FAULT_BYTES, "ends at byte %llu, in the middle of its %s data", place,
                 self->kind->name);
        return true;
    case SOURCE_BROKEN:
        snprintf(text, SOURCE_FAULT_BYTES, "its %s data is damaged at byte %llu (%s)", self->kind->name,
                 place, self->why);
        return true;
    case SOURCE_LACKS_LIBRARY:
        snprintf(text, SOURCE_FAULT_BYTES,
                 "is compressed with %s, which this keptalive was built without; decompress it first (%s -c)",
                 self->kind->name, self->kind->tool);
        return true;
    default:
        return false;
    }
}

const char *source_compression(const source *self)
{
    return self != NULL && self->kind != NULL ? self->kind->name : NULL;
}
