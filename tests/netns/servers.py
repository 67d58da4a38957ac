# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab's machines serve: TCP and UDP listeners, an endless HTTP download, an endless UDP
stream, and a real IPP printer (ippeveprinter). Their sockets belong to a node; threads of the
test process answer."""

import contextlib
import http.server
import os
import selectors
import socket
import threading
import time

from node import SLOW, await_that

IP_PKTINFO = 8  # linux/in.h

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>system</type>
 <listen>unix:path=/run/bus</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
  <allow send_destination="*" eavesdrop="false"/><allow receive_sender="*"/><allow own="*"/>
  <allow user="*"/>
 </policy>
</busconfig>
"""
BUS_ENV = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/run/bus"}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(node, port, kind=socket.SOCK_STREAM, family=socket.AF_INET, address=""):
    s = node.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(64)
    elif family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    return s


def from_there(asked):
    """What makes an answer come from the address that was asked, of a machine that has several."""
    for level, kind, info in asked:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            return [(level, kind, bytes(4) + info[4:8] + bytes(4))]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return [(level, kind, info[:16] + bytes(4))]
    return []


class Echoes:
    """TCP ports that accept and UDP ports that answer with the node's name, in one thread."""

    def __init__(self, node, tcp=(), udp=()):
        self.name = node.name.encode()
        self.selector = selectors.DefaultSelector()
        self.stop_end, wake = socket.socketpair()
        self.selector.register(wake, selectors.EVENT_READ, None)
        self.sockets = [wake]
        for kind, ports in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
            for port in ports:
                for family in (socket.AF_INET, socket.AF_INET6):
                    s = listener(node, port, kind, family)
                    self.sockets.append(s)
                    self.selector.register(s, selectors.EVENT_READ, kind)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                if key.data == socket.SOCK_DGRAM:
                    # a firewall that is shut meanwhile makes sending fail: that one is not answered
                    with contextlib.suppress(OSError):
                        data, asked, _, sender = key.fileobj.recvmsg(65536, 256)
                        key.fileobj.sendmsg([self.name + b" " + data], from_there(asked), 0, sender)
                else:
                    client, _ = key.fileobj.accept()
                    client.close()

    def close(self):
        self.stop_end.close()
        self.thread.join()
        for s in self.sockets:
            s.close()
        self.selector.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != "/stream":
            body = f"{self.server.node_name}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        pace = threading.Event()
        try:
            while not self.server.ending:
                self.wfile.write(b"." * 4096)
                self.server.sent_at = time.monotonic()
                pace.wait(0.005)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_):
        pass


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class WebServer:
    """A printer's web page: `/` says who it is, `/stream` never ends."""

    def __init__(self, node, port=80, address="0.0.0.0"):
        self.server = _HttpServer((address, port), _Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listener(node, port, family=family_of(address), address=address)
        self.server.node_name = node.name
        self.server.ending = False
        self.server.sent_at = 0
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.ending = True
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class UdpStreamer:
    """A camera: after one datagram it streams to the sender's address until it is closed,
    whatever the network says about it."""

    def __init__(self, node, port, family=socket.AF_INET):
        self.socket = listener(node, port, socket.SOCK_DGRAM, family)
        self.socket.settimeout(0.01)
        self.sent = self.tried = 0  # its own machine's firewall makes sending fail
        self.ending = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        viewer = None
        while not self.ending:
            try:
                viewer = self.socket.recvfrom(2048)[1]
            except socket.timeout:
                pass
            except OSError:
                continue  # an ICMP error about an earlier datagram
            if viewer:
                self.tried += 1
                try:
                    self.socket.sendto(b"%d" % self.sent, viewer)
                    self.sent += 1
                except OSError:
                    pass

    def close(self):
        self.ending = True
        self.thread.join()
        self.socket.close()


class Reader:
    """Reads a stream for ever and keeps the time of the last byte."""

    def __init__(self, sock):
        self.socket = sock
        self.socket.settimeout(None)
        self.received = 0
        self.last = 0.0
        self.ended = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError as error:
                if self.socket.type == socket.SOCK_DGRAM and self.socket.fileno() >= 0:
                    continue  # refused for now; the stream may come back
                self.error = error
                break
            if not data:
                break
            self.last = time.monotonic()
            self.received += len(data)
        self.ended = True

    def flows(self, seconds=10):
        """Awaits fresh bytes: what was received so far does not count."""
        before = self.received
        await_that(lambda: self.received > before + 1000 or
                   (self.socket.type == socket.SOCK_DGRAM and self.received > before + 10),
                   seconds, "fresh bytes of the stream")

    def close(self):
        if self.socket.type == socket.SOCK_STREAM:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        else:
            self.socket.close()
        self.thread.join(0.2)
        self.socket.close()


def download(node, address, port=80):
    """Begins the endless download; returns its Reader, bytes flowing."""
    s = node.socket(family_of(address))
    s.settimeout(10 * SLOW)
    s.connect((address, port))
    s.sendall(b"GET /stream HTTP/1.1\r\nHost: printer\r\n\r\n")
    reader = Reader(s)
    reader.flows()
    return reader


def view(node, address, port):
    """Begins the endless UDP stream; returns its Reader, datagrams flowing."""
    s = node.socket(family_of(address), socket.SOCK_DGRAM)
    s.connect((address, port))
    s.send(b"hello")
    reader = Reader(s)
    reader.flows()
    return reader


def fetch(node, address, port=80, path="/"):
    """A small HTTP GET; returns the body."""
    host = f"[{address}]" if ":" in address else address
    with node.socket(family_of(address)) as s:
        s.settimeout(10 * SLOW)
        s.connect((address, port))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return answer.partition(b"\r\n\r\n")[2].decode()


def start_bus(node, folder):
    """A message bus of the node's own (ippeveprinter and NetworkManager insist on one)."""
    path = os.path.join(folder, f"bus-{node.name}.conf")
    with open(path, "w") as f:
        f.write(BUS_CONFIG)
    node.start(["dbus-daemon", f"--config-file={path}", "--nofork", "--nopidfile"],
               log=os.path.join(folder, f"bus-{node.name}.log"))
    await_that(lambda: os.path.exists(f"/proc/{node.init}/root/run/bus"), what="the message bus")


def start_ipp_printer(node, folder, port=631):
    """Debian's ippeveprinter. `-r off`: it does not announce itself; it wants a bus all the same."""
    start_bus(node, folder)
    spool = os.path.join(folder, f"spool-{node.name}")
    os.makedirs(spool, exist_ok=True)
    node.start(["env", *(f"{k}={v}" for k, v in BUS_ENV.items()), "ippeveprinter", "-r", "off",
                "-p", str(port), "-d", spool, "-K", spool, "Lab printer"],
               log=os.path.join(folder, f"ipp-{node.name}.log"))
    await_that(lambda: f":{port} " in node.out("ss", "-Hltn"), what="ippeveprinter")
