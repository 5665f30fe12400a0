"""Thunderbird works a mailbox: python3 tests/thunderbird.py FOLDER

Needs thunderbird, xvfb and imagemagick from Debian; too big for `./dev test`. Starts a Postroad of
its own, and Thunderbird on a screen of its own, with an account that knows only host, ports and
password. Drives its window by Marionette: opens the INBOX, reads, flags, moves, deletes, sends and
sees the answer come in. After each step a picture goes to FOLDER, to be looked at, and the server
is asked whether it knows what was done.
"""
import hashlib
import imaplib
import json
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness

ADDRESS, PASSWORD = "anna@example.org", "secret"


class Marionette:
    """The protocol of Mozilla's remote control: length:[type, id, command, parameters]."""

    def __init__(self, port):
        harness.wait_until(lambda: self.connect(port), 60, "Thunderbird")
        self.behind, self.n = b"", 0
        self.read()
        self.call("WebDriver:NewSession", {})
        self.call("Marionette:SetContext", {"value": "chrome"})

    def connect(self, port):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port))
        except OSError:
            return False
        self.socket.settimeout(120)
        return True

    def read(self):
        while b":" not in self.behind:
            self.behind += self.socket.recv(65536)
        size, _, self.behind = self.behind.partition(b":")
        while len(self.behind) < int(size):
            self.behind += self.socket.recv(65536)
        text, self.behind = self.behind[:int(size)], self.behind[int(size):]
        return json.loads(text)

    def call(self, command, parameters):
        self.n += 1
        text = json.dumps([0, self.n, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        kind, _, error, result = self.read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}\n{error.get('stacktrace', '')}")
        return result

    def run(self, script, *arguments):
        """A script in the main window; what it returns, promises waited for."""
        self.call("Marionette:SetContext", {"value": "chrome"})
        wrapped = ("const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);"
                   "const win = Services.wm.getMostRecentWindow('mail:3pane');"
                   f"(async () => {{ {script} }})().then(v => done([v === undefined ? null : v, null]),"
                   " e => done([null, String(e) + '\\n' + e.stack]));")
        value, error = self.call("WebDriver:ExecuteAsyncScript",
                                 {"script": wrapped, "args": list(arguments), "scriptTimeout": 60000})["value"]
        if error:
            raise RuntimeError(error)
        return value


PREFERENCES = {
    "mail.provider.enabled": False, "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True, "mail.winsearch.firstRunDone": True,
    "mailnews.start_page.enabled": False, "mail.rights.version": 1,
    "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False,
    "app.donation.eoy.version.viewed": 999, "messenger.startup.action": 0,
    "mail.biff.show_alert": False, "mail.biff.play_sound": False,
    "mail.accountmanager.accounts": "account1,account2", "mail.accountmanager.defaultaccount": "account1",
    "mail.accountmanager.localfoldersserver": "server2",
    "mail.account.account1.identities": "id1", "mail.account.account1.server": "server1",
    "mail.account.account2.server": "server2",
    "mail.identity.id1.fullName": "Anna Berg", "mail.identity.id1.useremail": ADDRESS,
    "mail.identity.id1.smtpServer": "smtp1", "mail.identity.id1.valid": True,
    "mail.identity.id1.compose_html": False,
    "mail.server.server1.type": "imap", "mail.server.server1.name": ADDRESS,
    "mail.server.server1.userName": ADDRESS, "mail.server.server1.hostname": "localhost",
    "mail.server.server1.login_at_startup": False, "mail.server.server1.authMethod": 3,
    "mail.server.server2.type": "none", "mail.server.server2.hostname": "Local Folders",
    "mail.server.server2.name": "Local Folders", "mail.server.server2.userName": "nobody",
    "mail.smtpservers": "smtp1", "mail.smtp.defaultserver": "smtp1",
    "mail.smtpserver.smtp1.hostname": "localhost", "mail.smtpserver.smtp1.username": ADDRESS,
    "mail.smtpserver.smtp1.authMethod": 3,
}


def write_profile(folder, server, marionette_port):
    """imaps for reading, STARTTLS for sending (Thunderbird's 3 and 2)."""
    values = dict(PREFERENCES, **{
        "marionette.port": marionette_port,
        "mail.server.server1.port": server.ports["imaps"], "mail.server.server1.socketType": 3,
        "mail.smtpserver.smtp1.port": server.ports["submission"], "mail.smtpserver.smtp1.try_ssl": 2})
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in values.items()]
    (folder / "user.js").write_text("\n".join(lines) + "\n")
    der = ssl.PEM_cert_to_DER_cert(server.tls[0].read_text())
    fingerprint = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
    ports = [server.ports[name] for name in ("imaps", "submission")]
    (folder / "cert_override.txt").write_text("".join(
        f"localhost:{port}:\tOID.2.16.840.1.101.3.4.2.1\t{fingerprint}\t\n" for port in ports))


REMEMBER = """
const login = Components.classes["@mozilla.org/login-manager/loginInfo;1"]
    .createInstance(Components.interfaces.nsILoginInfo);
for (const scheme of ["imap", "smtp"]) {
    const one = login.clone();
    one.init(scheme + "://localhost", null, scheme + "://localhost", args[0], args[1], "", "");
    await Services.logins.addLoginAsync(one);
}
"""

PRELUDE = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.findServer(args[0], "localhost", "imap");
const folder = name => name == "INBOX" ? server.rootFolder.getFolderWithFlags(0x1000)
    : server.rootFolder.getChildNamed(name);
const tab = win.document.getElementById("tabmail").currentTabInfo;
const pane = tab.chromeBrowser.contentWindow;
const wait = async (what, seconds = 30) => {
    for (let i = 0; i < seconds * 10; i++) {
        let value = false;
        try { value = await what(); } catch (e) { value = false; }
        if (value) return value;
        await new Promise(r => win.setTimeout(r, 100));
    }
    throw new Error("waited in vain for " + what);
};
"""


class Screen:
    def __init__(self, pictures):
        self.pictures, self.n = pictures, 0
        self.display = ":97"
        self.xvfb = subprocess.Popen(["Xvfb", self.display, "-screen", "0", "1400x900x24"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: Path(f"/tmp/.X11-unix/X{self.display[1:]}").exists(), 20, "Xvfb")

    def picture(self, name):
        time.sleep(1.5)  # nothing says when all has been drawn
        self.n += 1
        target = self.pictures / f"{self.n:02}-{name}.png"
        subprocess.run(["import", "-display", self.display, "-window", "root", target], check=True)
        print(f"picture {target}", flush=True)

    def close(self):
        self.xvfb.terminate()
        self.xvfb.wait()


class Work:
    """The steps, each followed by a look at the server."""

    def __init__(self, server, browser, screen):
        self.server, self.browser, self.screen = server, browser, screen

    def run(self, script, *arguments):
        return self.browser.run(PRELUDE + script, ADDRESS, *arguments)

    def truth(self, mailbox="INBOX"):
        """{subject: flags} as another client sees it."""
        client = imaplib.IMAP4("127.0.0.1", self.server.ports["imap"])
        client.login(ADDRESS, PASSWORD)
        found = {}
        if client.select(mailbox, readonly=True)[1] != [b"0"]:
            for row in client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
                if isinstance(row, tuple):
                    flags = row[0].split(b"FLAGS (")[1].split(b")")[0].decode().split()
                    found[row[1].decode().split(":", 1)[1].strip()] = set(flags)
        client.logout()
        return found

    def expect(self, what, true):
        harness.wait_until(true, 30, what)
        print(f"ok      {what}", flush=True)

    def open_inbox(self):
        self.run("""await wait(() => folder("INBOX"));
            await wait(() => pane.folderTree && pane.folderTree.getRowAtIndex(0));
            pane.displayFolder(folder("INBOX").URI);
            await wait(() => folder("INBOX").getTotalMessages(false) >= 3);
            await wait(() => pane.gDBView && pane.gDBView.rowCount >= 3);""")
        self.screen.picture("inbox")

    def select(self, subject):
        self.run("""const view = pane.gDBView; let found = -1;
            await wait(() => { for (let i = 0; i < view.rowCount; i++)
                if (view.getMsgHdrAt(i).mime2DecodedSubject == args[1]) found = i;
                return found >= 0; });
            pane.threadTree.selectedIndex = found;
            const header = view.getMsgHdrAt(found);
            await wait(() => pane.messagePane && tab.message && tab.message.messageKey == header.messageKey);""",
                 subject)

    def read(self):
        self.select("Letter one")
        self.screen.picture("reading")
        self.expect("what was read is seen", lambda: "\\Seen" in self.truth()["Letter one"])

    def flag(self):
        self.select("Letter two")
        self.run("pane.goDoCommand ? pane.goDoCommand('cmd_markAsFlagged') : win.goDoCommand('cmd_markAsFlagged');")
        self.screen.picture("flagged")
        self.expect("what was starred is flagged", lambda: "\\Flagged" in self.truth()["Letter two"])

    def move(self):
        self.select("Letter two")
        self.run("""MailServices.copy.copyMessages(folder("INBOX"), [tab.message],
                folder("Archive"), true, null, win.msgWindow, false);""")
        self.expect("what was moved is in the other mailbox",
                    lambda: "Letter two" in self.truth("Archive") and "Letter two" not in self.truth())
        self.screen.picture("moved")

    def delete(self):
        self.select("Letter three")
        self.run("win.goDoCommand('cmd_delete');")
        self.expect("what was deleted is in the trash",
                    lambda: "Letter three" in self.truth("Trash") and "Letter three" not in
                    {s for s, f in self.truth().items() if "\\Deleted" not in f})
        self.screen.picture("deleted")

    def send(self):
        self.browser.run("""
            const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
            const fields = Components.classes["@mozilla.org/messengercompose/composefields;1"]
                .createInstance(Components.interfaces.nsIMsgCompFields);
            fields.to = args[0]; fields.subject = "Written here"; fields.body = "Greetings from the screen.\\n";
            const params = Components.classes["@mozilla.org/messengercompose/composeparams;1"]
                .createInstance(Components.interfaces.nsIMsgComposeParams);
            params.composeFields = fields;
            params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
            MailServices.compose.OpenComposeWindowWithParams(null, params);
            for (let i = 0; i < 100; i++) {
                await new Promise(r => win.setTimeout(r, 100));
                const w = Services.wm.getMostRecentWindow("msgcompose");
                if (w && w.gMsgCompose && w.gMsgCompose.editor) break;
            }""", ADDRESS)
        self.screen.picture("writing")
        self.browser.run("""Services.wm.getMostRecentWindow("msgcompose").goDoCommand("cmd_sendNow");
            for (let i = 0; i < 300 && Services.wm.getMostRecentWindow("msgcompose"); i++)
                await new Promise(r => win.setTimeout(r, 100));""")
        self.expect("what was sent is in Sent", lambda: "Written here" in self.truth("Sent"))
        self.expect("and has come back to the INBOX", lambda: "Written here" in self.truth())
        self.run("""await wait(() => { for (let i = 0; i < pane.gDBView.rowCount; i++)
            if (pane.gDBView.getMsgHdrAt(i).mime2DecodedSubject == "Written here") return true; });""")
        self.screen.picture("answer-in-the-inbox")

    def search(self):
        """By the server: a word that is in a body only."""
        found = self.run("""
            const session = Components.classes["@mozilla.org/messenger/searchSession;1"]
                .createInstance(Components.interfaces.nsIMsgSearchSession);
            const term = session.createTerm(), value = term.value;
            term.attrib = value.attrib = Components.interfaces.nsMsgSearchAttrib.Body;
            term.op = Components.interfaces.nsMsgSearchOp.Contains;
            value.str = args[1]; term.value = value; session.appendTerm(term);
            session.addScopeTerm(Components.interfaces.nsMsgSearchScope.onlineMail, folder("INBOX"));
            const hits = [];
            await new Promise(resolve => {
                session.registerListener({onSearchHit: h => hits.push(h.mime2DecodedSubject),
                    onSearchDone: resolve, onNewSearch() {}});
                session.search(win.msgWindow);
            });
            return hits;""", "marmalade")
        assert found == ["Letter one"], found
        print("ok      the server finds a word of a body", flush=True)


def deliver(server):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        for n, word in (("one", "Some marmalade for breakfast."), ("two", "Two."), ("three", "Three.")):
            client.sendmail("tom@example.net", [ADDRESS],
                            f"From: =?utf-8?q?Tom=C3=A1s?= <tom@example.net>\r\nTo: {ADDRESS}\r\n"
                            f"Subject: Letter {n}\r\nMessage-ID: <{n}@example.net>\r\n"
                            f"Date: Sat, 1 Mar 2025 10:00:00 +0000\r\n\r\n{word}\r\n".encode())


def main():
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    port = harness.free_ports(1)[0]
    profile = Path(tempfile.mkdtemp(prefix="thunderbird-"))
    screen = Screen(pictures)
    with harness.Postroad(build=os.environ.get("POSTROAD_BUILD", harness.TOP / "build/release"),
                          settings={"auth_without_tls": "yes"}) as server:
        server.start()
        server.add_account(ADDRESS, PASSWORD)
        deliver(server)
        write_profile(profile, server, port)
        bird = subprocess.Popen(["thunderbird", "--no-remote", "--profile", profile, "--marionette",
                                 "--remote-allow-system-access",
                                 "-width", "1400", "-height", "900"],
                                env=dict(os.environ, DISPLAY=screen.display, HOME=str(profile)),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            browser = Marionette(port)
            harness.wait_until(lambda: browser.run("return !!win;"), 60, "the window")
            browser.run(REMEMBER, ADDRESS, PASSWORD)
            work = Work(server, browser, screen)
            for step in (work.open_inbox, work.read, work.flag, work.search, work.move, work.delete, work.send):
                step()
        except Exception:
            screen.picture("failed")
            print(server.tail(), file=sys.stderr)
            raise
        finally:
            os.killpg(bird.pid, signal.SIGTERM)
            bird.wait(30)
            screen.close()
            shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main()
