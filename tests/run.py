"""./dev run - the whole suite in a throw-away folder, tested by real clients, then left running."""
import argparse
import imaplib
import poplib
import signal
import smtplib
import ssl
import sys
import time
from email.message import EmailMessage

import harness

ADDRESS, PASSWORD = "you@example.org", "postroad"
PORTS = {"smtp": 2525, "submission": 2587, "submissions": 2465, "pop3": 2110, "pop3s": 2995,
         "imap": 2143, "imaps": 2993}


def choose_ports():
    """The ports people remember, or free ones where something listens there already."""
    free = dict(zip(PORTS, harness.free_ports(len(PORTS))))
    return {name: port if is_free(port) else free[name] for name, port in PORTS.items()}


def is_free(port):
    import socket
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def client_tls(server):
    return ssl.create_default_context(cafile=server.tls[0])


def compose(subject):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, ADDRESS, subject
    message.set_content("Postroad sent this message to itself.\nIt came by SMTP and is read by IMAP and by POP3.\n")
    return message


def submit(server, message):
    """With STARTTLS and a login, as a mail program does."""
    with smtplib.SMTP("localhost", server.ports["submission"]) as client:
        client.starttls(context=client_tls(server))
        client.login(ADDRESS, PASSWORD)
        client.send_message(message)


def fetch_imap(server, subject):
    """The message as IMAP over TLS gives it; None while it is not there."""
    client = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=client_tls(server))
    try:
        client.login(ADDRESS, PASSWORD)
        client.select(readonly=True)
        numbers = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        return client.fetch(numbers[0], "BODY[]")[1][0][1] if numbers else None
    finally:
        client.logout()


def fetch_pop3(server, subject):
    """The same as POP3 over TLS gives it."""
    client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=client_tls(server))
    try:
        client.user(ADDRESS)
        client.pass_(PASSWORD)
        for number in range(1, client.stat()[0] + 1):
            text = b"\r\n".join(client.retr(number)[1])
            if subject.encode() in text:
                return text
        return None
    finally:
        client.quit()


def self_test(server):
    subject = f"self-test {time.time_ns()}"
    started = time.monotonic()
    submit(server, compose(subject))
    sent = time.monotonic()
    print(f"ok: sent by SMTP submission (STARTTLS, login)  {(sent - started) * 1000:7.1f} ms")
    for name, fetch in (("IMAP", fetch_imap), ("POP3", fetch_pop3)):
        begun = time.monotonic()
        text = harness.wait_until(lambda: fetch(server, subject), 20, "the message in the mailbox")
        if b"Postroad sent this message to itself." not in text:
            raise AssertionError("the message came back changed")
        print(f"ok: read by {name} over TLS, {len(text)} bytes         "
              f"{(time.monotonic() - begun) * 1000:7.1f} ms")


def say_how_to_connect(server):
    ports = server.ports
    print(f"""
Postroad is running. It is yours to try:

  account      {ADDRESS}   password {PASSWORD}
  SMTP         localhost:{ports['smtp']}  (mail from outside, to {ADDRESS})
  submission   localhost:{ports['submission']} STARTTLS, localhost:{ports['submissions']} TLS
  IMAP         localhost:{ports['imap']} STARTTLS, localhost:{ports['imaps']} TLS
  POP3         localhost:{ports['pop3']} STLS, localhost:{ports['pop3s']} TLS
  certificate  {server.tls[0]} (made for this run; clients will ask)
  command      {server.build}/bin/postroad --config {server.config} status
  log          {server.log}

  swaks --server localhost:{ports['smtp']} --to {ADDRESS}

Everything is under {server.folder} and is removed at the end. Ctrl-C stops it.""", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--once", action="store_true", help="stop after the self-test")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    with harness.Postroad(build=options.build, ports=choose_ports()) as server:
        server.start()
        server.add_account(ADDRESS, PASSWORD)
        print(f"ok: started, first account made                {(time.monotonic() - started) * 1000:7.1f} ms")
        self_test(server)
        print("self-test passed", flush=True)
        if options.once:
            return 0
        say_how_to_connect(server)
        try:
            return server.process.wait()
        except KeyboardInterrupt:
            print("\nstopping")
            return 0


if __name__ == "__main__":
    sys.exit(main())
