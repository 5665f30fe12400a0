"""master: starts again what dies, reloads, refuses what is wrong, stops in order."""
import ctypes
import fcntl
import json
import os
import signal
import smtplib
import socket
import subprocess
import threading
import time

import harness
import pytest


@pytest.fixture(scope="module")
def master():
    with harness.Postroad() as s:
        s.start()
        yield s


def greeting(server, port):
    with socket.create_connection(("127.0.0.1", port), timeout=120) as s:
        return s.recv(200)


def alive(pid):
    """Runs; a zombie that nobody waits for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def taken_descriptor(pid, fd):
    """The same open file as the other process has, and not one more of it."""
    pidfd_getfd = 438
    with open(os.pidfd_open(pid), "rb") as process:
        taken = ctypes.CDLL(None, use_errno=True).syscall(pidfd_getfd, process.fileno(), fd, 0)
    if taken < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return taken


def wait_log(server, count, *needles):
    server.wait_logged(*needles, count=count)


@pytest.mark.parametrize("program", ["smtpd", "spoold", "authd", "qmgr", "local", "gate", "pop3d",
                                     "pickup"])
def test_master_starts_a_killed_program_again(master, program):
    running = harness.wait_until(lambda: master.pids(program), what=f"a running {program}")
    pid, before = next(iter(running)), len(running)
    ready = len(master.logged("process.ready", f"name={program} "))
    os.kill(pid, signal.SIGKILL)
    wait_log(master, ready + 1, "process.ready", f"name={program} ")
    assert pid not in master.pids(program)
    assert len(master.pids(program)) == before
    assert master.wait_logged("process.end", f"name={program} ", f"pid={pid} ", "signal=9")


def test_master_tries_often_when_told_so(master):
    master.write_config(restart_pause_max_s="1")
    master.reload()
    for _ in range(6):
        pid = next(iter(harness.wait_until(lambda: master.pids("pickup"), what="a running pickup")))
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: pid not in master.pids("pickup"), what="its end")
    ended = time.monotonic()
    harness.wait_until(lambda: master.pids("pickup"), what="the sixth start")
    assert time.monotonic() - ended < 10, "after 1 s, not after 16"
    wait_log(master, 7, "process.start", "name=pickup ")


def test_master_waits_for_a_port_that_is_being_left():
    with harness.Postroad() as s, socket.socket() as held:
        held.bind(("127.0.0.1", s.ports["pop3"]))
        held.listen()
        s.start(wait=False)
        harness.wait_until(lambda: (s.run / "life").exists(), what="a start that has its locks")
        assert s.process.poll() is None
        os.kill(s.process.pid, signal.SIGHUP)  # a reload that comes early is made once it can be
        held.close()
        s.wait_ready()
        s.wait_logged("master.reloaded")
        assert s.stop() == 0


def test_master_says_which_port_is_taken():
    with harness.Postroad() as s, socket.socket() as held:
        held.bind(("127.0.0.1", s.ports["pop3"]))
        held.listen()
        s.start(wait=False)
        assert s.process.wait(harness.PATIENCE_S) == 1
        assert f"pop3_listen: cannot listen on 127.0.0.1:{s.ports['pop3']}" in s.tail()


def test_master_removes_no_file_for_a_socket():
    with harness.Postroad() as s:
        s.write_config(lmtp_socket=f'"{s.folder}/notes"')
        (s.folder / "notes").write_text("mine")
        s.start(wait=False)
        assert s.process.wait(harness.PATIENCE_S) == 1
        assert f"lmtp_socket: cannot listen on {s.folder}/notes" in s.tail()
        assert (s.folder / "notes").read_text() == "mine"


def test_master_sockets_have_their_modes_and_come_again():
    with harness.Postroad() as s:
        s.write_config(lmtp_socket=f'"{s.folder}/lmtp"')
        s.start()
        sockets = {s.folder / "lmtp": 0o666, s.run / "submit": 0o666, s.run / "control/master": 0o600,
                   s.run / "control/qmgr": 0o600, s.run / "administrators": 0o666}
        assert {path: path.stat().st_mode & 0o777 for path in sockets} == sockets
        s.kill()
        s.start()
        assert {path: path.stat().st_mode & 0o777 for path in sockets} == sockets


def test_master_serves_after_all_that(master):
    assert greeting(master, master.ports["smtp"]).startswith(b"220 ")
    assert greeting(master, master.ports["pop3"]).startswith(b"+OK")


def test_master_kills_a_program_that_hangs(master):
    master.write_config(ping_timeout_s="2")
    master.reload()
    pid = next(iter(master.pids("pickup")))
    harness.freeze(pid)
    wait_log(master, 1, "process.kill", f"pid={pid} ", "answer")
    harness.wait_until(lambda: master.pids("pickup") and pid not in master.pids("pickup"))
    master.write_config(ping_timeout_s="30")
    master.reload()


def test_master_that_slept_kills_nobody_who_answers():
    """As in a container that was frozen: nobody was asked meanwhile."""
    with harness.Postroad() as s:
        s.write_config(ping_timeout_s="10")
        s.start()
        before = s.pids("spoold") | s.pids("qmgr") | s.pids("authd")
        harness.freeze(s.process.pid)
        time.sleep(14)  # longer than its patience
        s.process.send_signal(signal.SIGCONT)
        pickup = next(iter(harness.wait_until(lambda: s.pids("pickup"), what="pickup")))
        harness.freeze(pickup)
        s.wait_logged("process.kill", f"pid={pickup} ", "answer")
        assert before == s.pids("spoold") | s.pids("qmgr") | s.pids("authd")


def test_master_reload_moves_a_listener_and_keeps_the_others(master):
    old, new = master.ports["pop3"], harness.free_ports(1)[0]
    reloads = len(master.logged("master.reloaded"))
    master.ports["pop3"] = new
    master.write_config()
    os.kill(master.process.pid, signal.SIGHUP)
    wait_log(master, reloads + 1, "master.reloaded")
    assert greeting(master, new).startswith(b"+OK")
    assert greeting(master, master.ports["smtp"]).startswith(b"220 ")

    def refused():
        try:
            greeting(master, old)
        except OSError:
            return True
        return False
    harness.wait_until(refused, what="the old port is closed")


@pytest.mark.parametrize("changes, says", [
    ({"recipients_max": "5"}, "recipients_max must be at least 100"),
    ({"recipients_max": "1000", "pop3s_listen": '"203.0.113.1:995"'}, "pop3s_listen"),
])
def test_master_refuses_a_wrong_reload_and_goes_on(master, changes, says):
    right = master.config.read_text()
    wrong = "".join(line + "\n" for line in right.splitlines()
                    if line.split(" ")[0] not in changes)
    wrong += "".join(f"{name} = {value}\n" for name, value in changes.items())
    failed = len(master.logged("master.reload_failed"))
    master.config.write_text(wrong)
    os.kill(master.process.pid, signal.SIGHUP)
    wait_log(master, failed + 1, "master.reload_failed")
    master.config.write_text(right)
    assert master.wait_logged("reload.refused", says)
    assert greeting(master, master.ports["smtp"]).startswith(b"220 ")


def test_master_reload_names_what_needs_a_restart():
    with harness.Postroad() as s:
        s.start()
        assert s.command("reload").stdout == b""
        s.write_config(authd_threads="3", local_accounts_max="1999", recipients_max="1001")
        assert s.command("reload").stdout == b"needs_restart  authd_threads, local_accounts_max\n"
        names = ["authd_threads", "local_accounts_max"]
        assert json.loads(s.command("--json", "reload").stdout) == {"needs_restart": names}
        for name in names:
            s.wait_logged("reload.needs_restart", f"setting={name}", count=2)
        s.config.write_text(s.config.read_text() + "frob = 1\n")
        done = s.command("--json", "reload", check=False)
        assert done.returncode == 1 and done.stdout == b"" and b"authd_threads" not in done.stderr
        del s.settings["authd_threads"], s.settings["local_accounts_max"]
        s.write_config()
        assert json.loads(s.command("--json", "reload").stdout) == {"needs_restart": []}
        assert len(s.logged("reload.needs_restart")) == 4


def test_master_log_file_can_be_rotated(master):
    rotated = master.log.with_suffix(".1")
    master.log.rename(rotated)
    os.kill(master.process.pid, signal.SIGHUP)
    wait_log(master, 1, "master.reloaded")

    def logged():
        greeting(master, master.ports["smtp"])
        return master.logged("smtp.connect")
    harness.wait_until(logged, what="a connection in the new file")
    master.log.write_text(rotated.read_text() + master.log.read_text())


def test_master_will_not_run_twice(master):
    second = subprocess.run([master.build / "libexec/postroad-master", "--config", master.config],
                            capture_output=True, timeout=120)
    assert second.returncode == 1
    assert b"another postroad-master runs" in second.stderr


def test_master_stops_in_order_and_leaves_no_process():
    with harness.Postroad() as s:
        s.start()
        pids = s.pids()
        assert s.stop() == 0
        assert not [p for p in pids if alive(p)]
        assert all("status=0" in line for line in s.logged("process.end"))
        ends = [line.split("name=")[1].split(" ")[0] for line in s.logged("process.end")]
        assert set(ends[-2:]) == {"authd", "resolved"}
        assert max(ends.index("smtpd"), ends.index("gate")) < ends.index("spoold")
        assert ends.index("spoold") < ends.index("qmgr") < ends.index("local")


def test_master_waits_for_the_programs_of_one_that_was_killed():
    with harness.Postroad() as s:
        s.start()
        left = [p for p in s.pids() if p != s.process.pid]
        spoold = next(iter(s.pids("spoold")))
        harness.freeze(spoold)
        s.process.kill()
        s.process.wait(harness.PATIENCE_S)
        s.start(wait=False)
        time.sleep(0.5)  # it must not come up in this time
        assert len(s.logged("master.start")) == 1
        os.kill(spoold, signal.SIGCONT)
        s.wait_ready()
        assert not [p for p in left if alive(p)]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a descriptor out of a program")
def test_master_waits_though_a_stolen_program_gives_up_every_lock():
    with harness.Postroad() as s:
        s.start()
        spoold, smtpd = next(iter(s.pids("spoold"))), next(iter(s.pids("smtpd")))
        with open(taken_descriptor(smtpd, 4), "wb") as life:
            fcntl.flock(life, fcntl.LOCK_UN)
        harness.freeze(spoold)
        s.process.kill()
        s.process.wait(harness.PATIENCE_S)
        s.start(wait=False)
        time.sleep(2)  # it must not come up in this time
        assert len(s.logged("master.start")) == 1
        os.kill(spoold, signal.SIGCONT)
        s.wait_ready()


def test_master_tells_all_errors_of_the_settings_at_once():
    with harness.Postroad() as s:
        with s.config.open("a") as f:
            f.write("no_such_thing = 1\nrecipients_max = 1\n")
        done = subprocess.run([s.build / "libexec/postroad-master", "--config", s.config],
                              capture_output=True, timeout=120)
        lines = s.config.read_text().count("\n")
        assert done.returncode == 1
        assert f"{s.config}:{lines - 1}: no_such_thing is not a setting" in done.stderr.decode()
        assert f"{s.config}:{lines}: recipients_max must be at least 100" in done.stderr.decode()


def test_master_tells_systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        told = []
        # Somebody must read all the time: master waits for systemd to take a word.

        def read():
            while (text := notify.recv(4096).decode()) != "end":
                told.append(text)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()

        def wait_for(count, *wanted):
            harness.wait_until(lambda: sum(all(w in t for w in wanted) for t in told) >= count, what=" ".join(wanted))
        with harness.Postroad() as s:
            s.start()
            wait_for(1, "READY=1")
            wait_for(2, "WATCHDOG=1")
            os.kill(s.process.pid, signal.SIGHUP)
            wait_for(1, "RELOADING=1", "MONOTONIC_USEC=")
            wait_for(2, "READY=1")
            s.process.send_signal(signal.SIGTERM)
            wait_for(1, "STOPPING=1")
            assert s.process.wait(60) == 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", str(tmp_path / "notify"))
        reader.join(harness.PATIENCE_S)


def test_master_can_be_stopped_while_a_program_hangs():
    with harness.Postroad(settings={"stop_timeout_s": "1"}) as s:
        s.start()
        harness.freeze(next(iter(s.pids("local"))))
        assert s.stop() == 0
        assert s.wait_logged("master.stop_late")
        assert s.wait_logged("process.kill", "name=local ", "in time")


def channels_of(pid):
    """Sockets that are the program's channels to others; 2 is the one to the log, 3 the one to master."""
    number_of_pidfd_getfd = 438
    libc, program = ctypes.CDLL(None, use_errno=True), os.pidfd_open(pid)
    for entry in os.listdir(f"/proc/{pid}/fd"):
        if entry in ("2", "3") or not os.readlink(f"/proc/{pid}/fd/{entry}").startswith("socket:"):
            continue
        fd = libc.syscall(number_of_pidfd_getfd, program, int(entry), 0)
        if fd < 0:
            pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        with socket.socket(fileno=fd) as found:
            if found.family == socket.AF_UNIX and found.type == socket.SOCK_SEQPACKET:
                yield found
    os.close(program)


def test_two_that_live_without_a_channel_get_one(need_root):
    with harness.Postroad() as s:
        s.start()
        others = [s.pids(name) for name in ("spoold", "authd")]
        smtpd = next(iter(s.pids("smtpd")))
        n = 0
        for channel in channels_of(smtpd):
            channel.shutdown(socket.SHUT_RDWR)
            n += 1
        assert n >= 3, "authd, spoold, resolved"
        s.wait_logged("process.kill", "name=smtpd ", f"pid={smtpd} ", "channel")
        harness.wait_until(lambda: s.pids("smtpd") and smtpd not in s.pids("smtpd"), what="another smtpd")
        assert [s.pids(name) for name in ("spoold", "authd")] == others
        s.add_account("a@example.org", "secret")
        harness.wait_until(lambda: b"220" in greeting(s, s.ports["smtp"]), what="a greeting")
        with smtplib.SMTP("127.0.0.1", s.ports["smtp"], timeout=120) as client:
            client.sendmail("x@fine.example", ["a@example.org"], b"Subject: again\r\n\r\n")
