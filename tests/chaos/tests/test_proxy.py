import socket
import socketserver
import threading
import time
import unittest

from semel_chaos.proxy import REPLY, REQUEST, Cut, Proxies
from semel_chaos.stack import free_base, wait_for


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1000):
            self.server.seen.append(data)
            self.request.sendall(data.upper())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # a reset is what these tests are about


class TheProxy(unittest.TestCase):
    def setUp(self):
        base = free_base(2)
        self.server = Server(("127.0.0.1", base + 1), Echo)
        self.server.seen = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.proxies = Proxies({"one": (base, base + 1)})
        self.client = socket.create_connection(("127.0.0.1", base), timeout=5)
        self.port = base

    def tearDown(self):
        self.client.close()
        self.proxies.close()
        self.server.shutdown()
        self.server.server_close()

    def test_lets_everything_through(self):
        self.client.sendall(b"hello")
        self.assertEqual(self.client.recv(10), b"HELLO")

    def test_cuts_a_request_before_its_last_bytes(self):
        cut = self.proxies.arm("one", Cut(REQUEST, -2, silent=False))
        self.client.sendall(b"hello")
        self.assert_reset()
        self.assertEqual(b"".join(self.server.seen), b"hel")
        self.assertEqual(cut.done, 1)

    def test_cuts_a_reply_after_its_first_bytes(self):
        self.proxies.arm("one", Cut(REPLY, 2, silent=True))
        self.client.sendall(b"hello")
        self.assertEqual(self.client.recv(10), b"HE")
        self.assertEqual(b"".join(self.server.seen), b"hello")
        self.client.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.client.recv(10)

    def test_a_silent_cut_silences_the_other_way_too(self):
        self.proxies.arm("one", Cut(REQUEST, 5, silent=True))
        self.client.sendall(b"hello")
        self.client.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.client.recv(10)

    def test_a_silent_connection_is_not_cut_again(self):
        cut = self.proxies.arm("one", Cut(REQUEST, -2, silent=True, left=2))
        self.client.sendall(b"hello")
        wait_for("the first piece to pass", lambda: self.server.seen, 5)
        self.client.sendall(b"world")
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as other:
            other.sendall(b"again")  # meets the second cut, if that is still there
            wait_for("that one's piece to pass", lambda: b"".join(self.server.seen).startswith(b"helaga"), 5)
        self.assertEqual(cut.done, 2)

    def test_holds_back_what_a_partition_stops(self):
        self.proxies.change("one", blocked={REPLY})
        self.client.sendall(b"hello")
        self.client.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.client.recv(10)
        self.proxies.heal("one")
        self.client.settimeout(5)
        self.assertEqual(self.client.recv(10), b"HELLO")

    def test_delays(self):
        self.proxies.change("one", delay={REQUEST: 0.0, REPLY: 0.2})
        began = time.monotonic()
        self.client.sendall(b"hello")
        self.client.recv(10)
        self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_refuses_old_and_new_connections(self):
        self.client.sendall(b"hello")
        self.client.recv(10)
        self.proxies.change("one", refusing=True)
        self.assert_reset()
        self.client.close()
        with self.assertRaises(ConnectionResetError):  # perhaps before connect() has returned
            self.client = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            self.client.recv(10)

    def assert_reset(self):
        with self.assertRaises(ConnectionResetError):
            while self.client.recv(10):
                pass
            self.fail("closed in an orderly way, not reset")


if __name__ == "__main__":
    unittest.main()
