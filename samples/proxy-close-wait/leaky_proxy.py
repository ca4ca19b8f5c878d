#!/usr/bin/env python3
# leaky_proxy.py - a reverse proxy whose pool of upstream connections never looks at them.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: leaky_proxy.py PORT ORIGIN

GET only. A used upstream connection goes back into the pool and stays there, closed by the origin or not; the next
request takes the youngest. When that fails, it is tried once more on a new connection. Nothing is ever evicted.
"""
import asyncio
import socket
import sys

# Plain sockets: an asyncio stream would read the origin's FIN in the background, which is what this must not do.
pool = []


async def complete_response(sock):
    loop, data = asyncio.get_running_loop(), b""
    while True:
        more = await loop.sock_recv(sock, 65536)
        if not more:
            raise ConnectionError("closed by the origin without an answer")
        data += more
        head, end, body = data.partition(b"\r\n\r\n")
        if end:
            length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            if len(body) >= int(length[0].split(b":")[1]):
                return body


async def ask(sock, origin, path):
    request = f"GET {path} HTTP/1.1\r\nHost: {origin}\r\nConnection: keep-alive\r\nVia: 1.1 leaky\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(sock, request.encode())
    body = await complete_response(sock)
    pool.append(sock)
    return body


async def upstream_get(origin, path):
    if pool:
        sock = pool.pop()
        port = sock.getsockname()[1]
        print("pooled connection", port, path, flush=True)
        try:
            return await ask(sock, origin, path)
        except ConnectionError as error:
            print("lost on connection", port, path, error, flush=True)
            sock.close()
    sock = socket.create_connection((origin, 80))
    sock.setblocking(False)
    print("new connection", sock.getsockname()[1], path, flush=True)
    return await ask(sock, origin, path)


async def serve(reader, writer):
    while head := await reader.readuntil(b"\r\n\r\n"):
        body = await upstream_get(sys.argv[2], head.split()[1].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def main():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with await asyncio.start_server(serve, "", int(sys.argv[1])) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
