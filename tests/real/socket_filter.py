"""A stand-in for the socket proxy of deploy/socket-proxy.yml, with the same options.

Started in a container: lets a request through where a pattern of its method matches the whole path,
and answers 403 otherwise. One request a connection, so that each is looked at.
"""

import asyncio
import re
import sys
from pathlib import Path

SOURCE = "/var/run/docker.sock"
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def options(arguments: list[str]) -> tuple[str, int, dict[str, list[re.Pattern[str]]]]:
    """Where to listen, with which mode, and the patterns by method."""
    place, mode, allowed = "", 0o600, {}
    for argument in arguments:
        name, _, value = argument.lstrip("-").partition("=")
        if name == "proxysocketendpoint":
            place = value
        elif name == "proxysocketendpointfilemode":
            mode = int(value, 8)
        elif name.startswith("allow") and name[5:].isupper():
            allowed.setdefault(name[5:], []).append(re.compile(value))
        else:
            sys.exit(f"unknown option {argument}")
    return place, mode, allowed


async def main() -> None:
    place, mode, allowed = options(sys.argv[1:])

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        path = target.partition("?")[0]
        if not any(pattern.fullmatch(path) for pattern in allowed.get(method, ())):
            print(f"refused {method} {path}", flush=True)
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            writer.close()
            return
        lines = [line for line in head.rstrip().split("\r\n") if not line.startswith("Connection:")]
        source, sink = await asyncio.open_unix_connection(SOURCE)
        sink.write(("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1"))
        sending = asyncio.create_task(pipe(reader, sink))
        await pipe(source, writer)
        sending.cancel()

    Path(place).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, place)
    Path(place).chmod(mode)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
