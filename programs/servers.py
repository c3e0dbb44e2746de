# SPDX-License-Identifier: MIT
"""Servers, each in the directory of its place, on a socket there or on 127.0.0.1."""

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import threading

from place import Wrong

NGINX = """
daemon off; master_process %(master)s; worker_processes %(workers)d; user root;
pid %(dir)s/pid; error_log %(dir)s/error;
thread_pool default threads=4 max_queue=65536;
events { worker_connections 512; }
http {
    access_log off; aio threads; sendfile off; output_buffers 1 32k;
    client_body_temp_path %(dir)s/t1; proxy_temp_path %(dir)s/t2;
    fastcgi_temp_path %(dir)s/t3; uwsgi_temp_path %(dir)s/t4; scgi_temp_path %(dir)s/t5;
    server { listen 127.0.0.1:%(port)d; root %(dir)s/html; }
}
"""


def answers(port):
    def asks():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    return asks


# ---- redis

@contextlib.contextmanager
def redis(place, threads):
    """Yields the arguments that name the socket; the path is absolute, as --dir moves."""
    path = place.path("s")
    server = place.start([
        "redis-server", "--port", "0", "--unixsocket", path, "--io-threads", str(threads),
        "--io-threads-do-reads", "yes", "--save", "", "--appendonly", "no",
        "--daemonize", "no", "--dir", place.directory])
    place.wait_until(lambda: os.path.exists(path), "socket", server)
    yield ["-s", path]
    server.stop(["redis-cli", "-s", path, "shutdown", "nosave"])


def redis_says(place, where, what):
    """{name: value} of a section of INFO."""
    text = place.tool(["redis-cli"] + where + ["info", what]).out
    return dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)


# ---- memcached

@contextlib.contextmanager
def memcached(place):
    """Yields host:port."""
    port = place.port()
    server = place.start(["memcached", "-u", "nobody", "-t", "4", "-m", "64",
                          "-l", "127.0.0.1", "-p", str(port)])
    place.wait_until(answers(port), "answer", server)
    yield "127.0.0.1:%d" % port
    server.stop(signal.SIGTERM)


# ---- mariadb

@contextlib.contextmanager
def mariadb(place):
    """Yields the path of the socket."""
    data, path = place.path("data"), place.path("s")
    place.tool(["mariadb-install-db", "--no-defaults", "--datadir=" + data,
                "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root"])
    server = place.start([
        "/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + data, "--socket=" + path,
        "--skip-networking", "--user=root", "--pid-file=" + place.path("pid"),
        "--innodb-buffer-pool-size=128M", "--innodb-flush-log-at-trx-commit=0",
        "--skip-grant-tables"])
    place.wait_until(lambda: os.path.exists(path), "socket", server)
    yield path
    server.stop(["mariadb-admin", "--no-defaults", "--socket=" + path, "shutdown"])


def sql(place, path, *statements):
    """What the statements answer: lines of fields."""
    text = place.tool(["mariadb", "--no-defaults", "--socket=" + path, "-N", "-B",
                       "-e", "; ".join(statements)]).out
    return [line.split("\t") for line in text.splitlines()]


# ---- nginx

@contextlib.contextmanager
def nginx(place, workers=0):
    """Yields its port; no workers: one process without a master."""
    port = place.port()
    config = place.write("nginx.conf", NGINX % {
        "master": "on" if workers else "off", "workers": workers or 1,
        "dir": place.directory, "port": port})
    server = place.start(["nginx", "-p", place.directory, "-c", config])
    place.wait_until(answers(port), "answer", server)
    yield port
    server.stop(signal.SIGQUIT)


def nginx_tasks(place):
    with open(place.path("pid"), encoding="ascii") as f:
        return len(os.listdir("/proc/%d/task" % int(f.read())))


def fetch(port, path, content, connections=16, times=20):
    """Each of some connections gets it so many times; Wrong if it is not @content."""
    wanted = hashlib.sha256(content).digest()
    wrong = []

    def client():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            for _ in range(times):
                connection.request("GET", path)
                got = connection.getresponse().read()
                if hashlib.sha256(got).digest() != wanted:
                    wrong.append("%d bytes, not the right ones" % len(got))
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            wrong.append("%s %s" % (type(error).__name__, error))

    clients = [threading.Thread(target=client) for _ in range(connections)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if wrong:
        raise Wrong("nginx: of %d answers, %d wrong: %s" % (
            connections * times, len(wrong), wrong[0]))
    return connections * times
