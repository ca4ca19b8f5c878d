/* login.h - NTLM in Authorization and WWW-Authenticate: a login of three steps that belongs to one
 * connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_LOGIN_H
#define KA_LOGIN_H

#include "keptalive.h"

enum { KA_LOGIN_NONE, KA_LOGIN_NEGOTIATE, KA_LOGIN_CHALLENGE, KA_LOGIN_AUTHENTICATE };

/* The NTLM message a field value carries (MS-NLMP section 2.2.1: types 1 to 3), by scheme NTLM, or Negotiate
 * with NTLM in it, bare or wrapped in SPNEGO (RFC 4559). Kerberos has one step only: KA_LOGIN_NONE. */
uint8_t ka_login_step(ka_slice value);

#endif
