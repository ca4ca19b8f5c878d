// workload.js - one fixed workload on a pool of Node's own agent; only the pool's idle timeout differs.
// SPDX-License-Identifier: GPL-2.0-or-later
//
// usage: node workload.js HOST PORT IDLE_MS (0: the pool never closes)
//
// Each worker has a pool of one connection, and times at which it asks that are always the same: they come from a
// generator with a fixed seed. A request that is lost on a connection used before is sent again, as the Node manual
// advises (request.reusedSocket). What happens is told on standard output; the last line counts.
'use strict'
const http = require('http')
const [host, port, idle] = [process.argv[2], +process.argv[3], +process.argv[4]]
const WORKERS = 12
const END_S = 45

// Numerical Recipes' generator: the same numbers everywhere.
let state = 20260714
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32

// Think times: mostly short, some of several seconds, and some as long as the server's timeout.
function think()
{
  const kind = random()
  if (kind < 0.5) return 0.1 + 1.9 * random()
  if (kind < 0.85) return 2 + 5 * random()
  return 5.96 + 0.08 * random()
}

const counts = { requests: 0, opened: 0, lost: 0 }
const started = Date.now() + 500
const say = text => console.log(((Date.now() - started) / 1000).toFixed(3), text)

function ask(worker, agent)
{
  const request = http.get({ host, port, agent, path: '/' }, response => response.resume())
  counts.requests++
  request.on('socket', socket => {
    if (!request.reusedSocket) counts.opened++
    socket.setNoDelay(true)
  })
  request.on('error', error => {
    say(`worker ${worker}: ${error.code}, connection ${request.reusedSocket ? 'used before' : 'new'}`)
    if (request.reusedSocket) { counts.lost++; ask(worker, agent) }
  })
}

for (let worker = 0; worker < WORKERS; worker++) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, ...(idle ? { timeout: idle } : {}) })
  for (let at = worker * 0.05; at < END_S; at += think())
    setTimeout(ask, started - Date.now() + at * 1000, worker, agent)
}
setTimeout(() => { say(JSON.stringify(counts)); process.exit(0) }, started - Date.now() + END_S * 1000 + 500)
