"""A TCP proxy before each gateway that cuts, stalls and delays on demand.

It knows no protocol, unless it is given a speech (smpp.py): one read from a side is one piece, and a cut lets `at` bytes of the next piece through (from its
end, when negative) before the connection is reset, or falls silent. A dispatcher writes its last bytes in a piece of
their own, so cuts meet every byte that makes a gateway accept, and every byte of the answer.
"""
import asyncio
import socket
import struct
import threading
from dataclasses import dataclass

REQUEST, REPLY = "request", "reply"


@dataclass
class Cut:
    direction: str
    at: int
    silent: bool  # else reset
    left: int = 1  # how many pieces it cuts
    done: int = 0

    def part(self, size):
        return max(0, min(size, self.at if self.at >= 0 else size + self.at))


class Proxy:
    def __init__(self, listen, target):
        self.listen, self.target = listen, target
        self.cut = None
        self.delay = {REQUEST: 0.0, REPLY: 0.0}
        self.blocked = set()  # directions in which nothing passes: a partition
        self.refusing = False
        self.speech = None  # makes what hears each new connection, and says it otherwise
        self.connections = set()
        self.moved = None

    async def start(self):
        self.moved = asyncio.Condition()
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.listen)

    async def serve(self, reader, writer):
        if self.refusing:
            reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            return
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (writer, far_writer)
        self.connections.add(pair)
        silent, speech = asyncio.Event(), self.speech and self.speech()
        try:
            await asyncio.gather(self.pump(REQUEST, reader, far_writer, pair, silent, speech),
                                 self.pump(REPLY, far_reader, writer, pair, silent, speech))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(pair)
            for one in pair:
                one.close()

    async def pump(self, direction, reader, writer, pair, silent, speech=None):
        while piece := await reader.read(65536):
            if speech and not (piece := speech.heard(direction, piece)):
                continue
            if self.delay[direction]:
                await asyncio.sleep(self.delay[direction])
            async with self.moved:
                await self.moved.wait_for(lambda: direction not in self.blocked)
            if silent.is_set():
                continue  # both ways: the peer is gone, and nobody says so; what comes now must not follow half a request
            cut = self.cut
            if cut and cut.direction == direction and cut.left > 0:
                cut.left -= 1
                cut.done += 1
                writer.write(piece[:cut.part(len(piece))])
                await writer.drain()
                if not cut.silent:
                    # What was let through leaves first: a reset may overtake it only on the way to a reader that is slow.
                    await asyncio.sleep(0.01)
                    for one in pair:
                        reset(one)
                    return
                silent.set()
                continue
            writer.write(piece)
            await writer.drain()
        if not silent.is_set() and writer.can_write_eof():
            writer.write_eof()

    async def change(self, **values):
        async with self.moved:
            for name, value in values.items():
                setattr(self, name, value)
            self.moved.notify_all()
        if values.get("refusing"):
            self.reset_all()

    def reset_all(self):
        for pair in list(self.connections):
            for one in pair:
                reset(one)


def reset(writer):
    """Closes with a reset, as a crashed peer or a firewall does."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


class Proxies:
    """Runs proxies in a thread of their own: name -> (port, the gateway's port)."""

    def __init__(self, routes):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxies", daemon=True)
        self.thread.start()
        self.by_name = {name: Proxy(*ports) for name, ports in routes.items()}
        for proxy in self.by_name.values():
            self.call(proxy.start())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def change(self, name, **values):
        self.call(self.by_name[name].change(**values))

    def arm(self, name, cut):
        self.change(name, cut=cut)
        return cut

    def reset(self, name):
        async def now():
            self.by_name[name].reset_all()
        self.call(now())

    def heal(self, name):
        """As it was, except that connections which fell silent stay so until they are reset."""
        self.change(name, cut=None, delay={REQUEST: 0.0, REPLY: 0.0}, blocked=set(), refusing=False)

    def close(self):
        async def stop():
            for proxy in self.by_name.values():
                proxy.server.close()
                proxy.reset_all()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self.call(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
