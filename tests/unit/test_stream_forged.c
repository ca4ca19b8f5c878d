/* test_stream_forged.c - a FIN before the SYN-ACK: forged, or not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

#define GET  "GET / HTTP/1.1\r\n\r\n"                       /* 18 bytes */
#define OK_0 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" /* 38 bytes */

static void fin_before_the_syn_ack_is_forged(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_send(0, KA_SYN, 0, "", 0);
    w->ack[1] = 1;
    wire_send(1, KA_RST, 5000, "", 0);
    wire_send(1, KA_FIN, 5000, "", 0);
    wire_send(1, KA_SYN, 0, "", 0);
    w->ack[0] = 1;
    wire_text(0, 1, GET);
    w->ack[1] = 19;
    wire_text(1, 1, OK_0);
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+38 length 0\n");
    wire_free();
}

static void fin_counts_though_the_syn_ack_is_sent_again(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_send(1, KA_FIN, 1, "", 0);
    wire_send(1, KA_SYN, 0, "", 0);
    wire_text(1, 1, OK_0); /* behind the FIN */
    wire_expect("");
    wire_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fin_before_the_syn_ack_is_forged),
        cmocka_unit_test(fin_counts_though_the_syn_ack_is_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
