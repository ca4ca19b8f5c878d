// workload.js - one fixed workload on pools of Node's own agent; only the pool's idle timeout differs.
// SPDX-License-Identifier: GPL-2.0-or-later
//
// usage: node workload.js HOST PORT IDLE_MS apart|lifo|fifo      IDLE_MS 0: the pool never closes
//
// apart: twelve clients, each with a pool of one connection. lifo, fifo: one pool, which takes the connection used last,
// or the one idle for longest, and bursts of up to eight requests at once.
// The times of the requests are always the same: they come from a generator with a fixed seed. A request that is lost
// on a connection used before is sent again, as Node's manual advises (request.reusedSocket). What happens is told on
// standard output; the last line counts.
'use strict'
const http = require('http')
const [host, port, idle, mode] = [process.argv[2], +process.argv[3], +process.argv[4], process.argv[5]]
const CLIENTS = 12
const BURST = 8
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
const pool = options => new http.Agent({ keepAlive: true, ...options, ...(idle ? { timeout: idle } : {}) })
const at = (seconds, what, ...rest) => setTimeout(what, started - Date.now() + seconds * 1000, ...rest)

function ask(agent)
{
  const request = http.get({ host, port, agent, path: '/' }, response => response.resume())
  counts.requests++
  request.on('socket', socket => {
    if (!request.reusedSocket) counts.opened++
    socket.setNoDelay(true)
  })
  request.on('error', error => {
    say(`${error.code}, connection ${request.reusedSocket ? 'used before' : 'new'}`)
    if (request.reusedSocket) { counts.lost++; ask(agent) }
  })
}

if (mode === 'apart') {
  for (let client = 0; client < CLIENTS; client++) {
    const agent = pool({ maxSockets: 1 })
    for (let now = client * 0.05; now < END_S; now += think()) at(now, ask, agent)
  }
} else {
  const agent = pool({ scheduling: mode })
  for (let now = 0; now < END_S; now += 0.2 + 2 * random())
    for (let left = Math.ceil(BURST * random() ** 3); left > 0; left--) at(now, ask, agent)
}
at(END_S + 0.5, () => { say(JSON.stringify(counts)); process.exit(0) })
