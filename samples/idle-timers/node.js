// Node: its HTTP server.
// SPDX-License-Identifier: GPL-2.0-or-later
const server = require('http').createServer((request, response) => response.end('ok'))
server.keepAliveTimeout = 2500
server.listen(82)
