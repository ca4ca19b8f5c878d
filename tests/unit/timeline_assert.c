/* timeline_assert.c - what a test expects the audit to have said.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#include <math.h>
#include <stdio.h>

const ka_finding *finding_in(const timeline *t, const conversation *c, ka_finding_id id)
{
    const ka_finding *found = NULL;
    for (size_t i = 0; i < t->finding_count; i++) {
        const ka_finding *f = &t->findings[i];
        if (f->id != id || (c != NULL && (!f->has_stream || f->stream != c->stream)))
            continue;
        if (c != NULL)
            assert_null(found); /* one finding per id and connection */
        found = found == NULL ? f : found;
    }
    return found;
}

const ka_finding *finding_of(const timeline *t, ka_finding_id id)
{
    return finding_in(t, NULL, id);
}

const ka_record *record_of(const timeline *t, const conversation *c)
{
    for (size_t i = 0; i < t->record_count; i++) {
        if (t->records[i].stream == c->stream)
            return &t->records[i];
    }
    fail_msg("no record of stream %u", c->stream);
    return NULL;
}

int64_t value_of(const ka_finding *f, const char *name)
{
    for (unsigned i = 0; i < f->value_count; i++) {
        if (strcmp(f->values[i].name, name) == 0)
            return f->values[i].number;
    }
    fail_msg("%s has no value %s", ka_catalogue(f->id)->id, name);
    return KA_NONE;
}

bool has_cause(const ka_finding *f, ka_finding_id cause)
{
    for (unsigned i = 0; i < f->cause_count; i++) {
        if (f->causes[i] == cause)
            return true;
    }
    return false;
}

uint64_t frame_of(const ka_finding *f, const char *role)
{
    for (unsigned i = 0; i < f->frame_count; i++) {
        if (strcmp(f->frames[i].role, role) == 0)
            return f->frames[i].at.frame;
    }
    return 0;
}

static void print_all(const timeline *t)
{
    for (size_t i = 0; i < t->finding_count; i++) {
        char text[1024];
        ka_sentence(&t->findings[i], text, sizeof text);
        print_error("  found (seen from %d): %s %s at %u: %s\n", (int)t->seen_from,
                    ka_severity_name(t->findings[i].severity), ka_catalogue(t->findings[i].id)->id,
                    (unsigned)t->findings[i].at.frame, text);
    }
}

void assert_silent(const timeline *t)
{
    if (t->finding_count > 0)
        print_all(t);
    assert_int_equal(t->finding_count, 0);
}

void assert_only(const timeline *t, ...)
{
    bool expected[KA_FINDING_COUNT] = {false};
    va_list ids;
    va_start(ids, t);
    for (int id = va_arg(ids, int); id != KA_FINDING_COUNT; id = va_arg(ids, int))
        expected[id] = true;
    va_end(ids);
    for (int id = 0; id < KA_FINDING_COUNT; id++) {
        if ((finding_of(t, (ka_finding_id)id) != NULL) == expected[id])
            continue;
        print_all(t);
        fail_msg("%s %s", ka_catalogue((ka_finding_id)id)->id,
                 expected[id] ? "is missing" : "is not expected");
    }
}

void assert_absent(const timeline *t, ka_finding_id id)
{
    if (finding_of(t, id) != NULL) {
        print_all(t);
        fail_msg("%s is not expected", ka_catalogue(id)->id);
    }
}

const ka_finding *assert_holds(const timeline *t, ka_finding_id id, ka_severity severity, ka_fault fault,
                               const mark *at)
{
    const ka_finding *f = finding_of(t, id);
    if (f == NULL) {
        print_all(t);
        fail_msg("%s is missing (seen from %d)", ka_catalogue(id)->id, (int)t->seen_from);
        return NULL;
    }
    char text[1024];
    assert_true(ka_sentence(f, text, sizeof text) > 20);
    assert_null(strchr(text, '{'));
    assert_null(strchr(text, '?'));
    assert_string_equal(ka_severity_name(f->severity), ka_severity_name(severity));
    assert_string_equal(ka_fault_name(f->fault), ka_fault_name(fault));
    if (at != NULL) {
        assert_int_equal(f->at.frame, at->at.frame);
        assert_int_equal(f->at.time_ns, at->at.time_ns);
    }
    assert_true(strlen(ka_catalogue(id)->remedy) > 0);
    return f;
}

void assert_value(const ka_finding *f, const char *name, double seconds)
{
    int64_t off_ns = value_of(f, name) - (int64_t)llround(seconds * 1e9);
    if (off_ns < -KA_MILLISECOND_NS || off_ns > KA_MILLISECOND_NS)
        fail_msg("%s is %.6f, not %.6f", name, (double)value_of(f, name) / 1e9, seconds);
}
