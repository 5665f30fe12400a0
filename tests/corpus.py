"""Messages as the world sends them, made at random: corpus(rnd, n) gives n of them.

Nested and broken MIME, every charset that is met, encoded words, no header at all, 8-bit
headers, threads. They are built byte by byte, so that no library's idea of a message is in
them. None holds a NUL or a bare CR; some have bare LF throughout.
"""
import base64
import quopri

# What is written, and in which charsets it is found.
TEXTS = [
    ("plain", "Meeting on Friday about the budget, see the agenda below", ["us-ascii", None, "utf-8"]),
    ("plain", "The quick brown fox jumps over the lazy dog", ["us-ascii", None, "iso-8859-1"]),
    ("german", "Grüße aus Köln, die Straße ist gesperrt; Ärger mit Übergröße", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15"]),
    ("french", "Ça va bien, l’été à la façade naïve, œuvre", ["utf-8", "windows-1252"]),
    ("turkish", "İstanbul'da ılık bir gün, şeker ve çay", ["utf-8", "iso-8859-9", "windows-1254"]),
    ("polish", "Zażółć gęślą jaźń, Łódź czeka", ["utf-8", "iso-8859-2", "windows-1250"]),
    ("czech", "Příliš žluťoučký kůň úpěl ďábelské ódy", ["utf-8", "iso-8859-2"]),
    ("russian", "Съешь ещё этих мягких французских булок, да выпей чаю", ["utf-8", "koi8-r", "windows-1251", "iso-8859-5"]),
    ("ukrainian", "Їхній ґанок зеленіє, Єва п'є каву", ["utf-8", "koi8-u", "windows-1251"]),
    ("greek", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, ΟΔΟΣ και οδός", ["utf-8", "iso-8859-7", "windows-1253"]),
    ("hebrew", "שלום עולם דג סקרן שט", ["utf-8", "iso-8859-8", "windows-1255"]),
    ("arabic", "مرحبا بالعالم نص حكيم", ["utf-8", "iso-8859-6", "windows-1256"]),
    ("thai", "สวัสดีชาวโลก เป็นมนุษย์", ["utf-8", "tis-620"]),
    ("japanese", "こんにちは世界、会議の資料を送ります", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"]),
    ("katakana", "カタカナ テスト メール", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"]),
    ("chinese", "你好世界，请查看附件中的会议记录", ["utf-8", "gb2312", "gbk", "gb18030"]),
    ("taiwan", "您好，請查看附件中的會議記錄", ["utf-8", "big5"]),
    ("korean", "안녕하세요 세계 회의 자료입니다", ["utf-8", "euc-kr"]),
    ("forms", "ﬁnance ①② Ｆｕｌｌｗｉｄｔｈ Å™ ½ Ⅷ", ["utf-8"]),
    ("marks", "e\u0301te\u0301 A\u030angstro\u0308m co\u00adoperate zero\u200bwidth", ["utf-8"]),
    ("emoji", "Party 🎉 tonight 👍🏽 see you", ["utf-8"]),
]
NAMES = ["Alice Example", "Bob", "Zoë Müller", "Łukasz Żak", "山田太郎", "Иван Петров", "O'Neil, Pat",
         "José García", "ALICE EXAMPLE", "Élodie", ""]
LOCALS = ["alice", "Bob", "zoe", "info", "no-reply", '"quoted local"', "a.b+tag", "INFO", "alice"]
HOSTS = ["example.org", "Example.com", "mail.example.net", "[192.0.2.1]"]
SUBJECTS = ["Budget", "budget", "Lunch", "Grüße", "GRÜSSE", "会議", "Ёлка", "[list] Release", "a", "Status report",
            "ÉTUDE", "etude", "", "x" * 90, "ﬁnal", "(urgent) call"]
PREFIXES = ["", "", "Re: ", "RE:", "Fwd: ", "fw: ", "Re [2]: ", "[list] Re: ", "Re: [list] ", "Re: Re: fwd: "]
DATES = ["Mon, 7 Feb 1994 21:52:25 -0800", "Thu, 29 Feb 2024 12:00:00 +0000", "1 Jan 2024 00:00:00 GMT",
         "Sat, 31 Dec 2022 23:59:59 +1345", "Tue, 1 Jul 03 10:52:37 EST", "Sun, 1 Jan 2023 00:30:00 +0200",
         "Sat, 31 Dec 2022 23:30:00 -0500 (EST)", "Fri, 21 Nov 97 09:55:06 -0600", "Wed, 10 Apr 2019 08:15:00 +0530",
         "Wed, 10 Apr 2019 02:45:00 Z"]
BAD_DATES = ["yesterday", "", "32 Foo 2020 99:99:99", "Mon,"]
TRACE = ["Received: from a.example by b.example; Mon, 7 Feb 1994 21:52:25 -0800",
         "X-Spam-Status: No, score=-2.6 required=5.0\r\n\ttests=BAYES_00,SPF_PASS autolearn=ham",
         "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s1;\r\n bh=abcdefghijk=; b=zyxw",
         "List-Id: The list <list.example.org>", "X-Mailer: Mailer 1.0 (build 7)", "X-Empty:", "x-lower: value",
         "Return-Path: <bounce@example.net>", "Keywords: one, two,\r\n three"]


def encodable(text, charset):
    try:
        text.encode(charset)
        return True
    except UnicodeEncodeError:
        return False


class Maker:
    def __init__(self, rnd):
        self.rnd = rnd
        self.ids = []
        self.later = [f"later{n}@example.org" for n in range(30)]
        self.boundaries = 0

    def pick(self, *choices):
        return self.rnd.choice(choices)

    # --- texts

    def text(self):
        """A text and a charset it can be written in."""
        _, text, charsets = self.rnd.choice(TEXTS)
        charset = self.rnd.choice(charsets)
        words = text.split(" ")
        first = self.rnd.randrange(len(words))
        text = " ".join(words[first:] + words[:first][:self.rnd.randrange(4)])
        return text, charset

    def word(self, text, charset):
        """Encoded words for a text; a long one, or one of several bytes a character, in pieces."""
        size = self.rnd.choice([5, 8, 15])
        pieces = [text[i:i + size] for i in range(0, len(text), size)]
        out = []
        for piece in pieces:
            raw = piece.encode(charset)
            if self.rnd.random() < 0.5:
                out.append(f"=?{charset}?{self.pick('B', 'b')}?" + base64.b64encode(raw).decode() + "?=")
            else:
                q = "".join(chr(c) if chr(c).isascii() and chr(c).isalnum() else "_" if c == 32 else f"={c:02X}"
                            for c in raw)
                out.append(f"=?{charset}?{self.pick('Q', 'q')}?{q}?=")
        return self.pick(" ", "\r\n ", "\r\n\t", "  ").join(out)

    def phrase(self, text):
        """A text in a header: as it is, in encoded words, or in bare 8-bit bytes."""
        if text.isascii() and self.rnd.random() < 0.8:
            return text.encode()
        choice = self.rnd.random()
        if choice < 0.15:
            return text.encode("utf-8")
        if choice < 0.25 and encodable(text, "iso-8859-1") and not text.isascii():
            return text.encode("iso-8859-1")
        charsets = [c for c in ("utf-8", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp", "gb2312", "iso-8859-2")
                    if encodable(text, c)]
        return self.word(text, self.rnd.choice(charsets)).encode() if text else b""

    def address(self):
        name, spec = self.rnd.choice(NAMES), f"{self.rnd.choice(LOCALS)}@{self.rnd.choice(HOSTS)}".encode()
        if not name:
            return self.pick(spec, b"<" + spec + b">")
        if self.rnd.random() < 0.1 and name.isascii() and name.isalpha():
            return spec + b" (" + name.encode() + b")"
        if name.isascii() and self.rnd.random() < 0.7:
            return f'"{name}" <'.encode() + spec + b">"
        if "," in name:
            name = name.replace(",", "")
        return self.phrase(name) + b" <" + spec + b">"

    def addresses(self):
        many = [self.address() for _ in range(self.pick(1, 1, 1, 2, 3))]
        joined = self.pick(b", ", b",\r\n ", b",").join(many)
        if self.rnd.random() < 0.05:
            return b"The group: " + joined + b";"
        if self.rnd.random() < 0.03:
            return b"undisclosed-recipients:;"
        return joined

    # --- parts

    def encode(self, raw, encoding):
        if encoding == "base64":
            return base64.encodebytes(raw).replace(b"\n", b"\r\n")
        if encoding == "quoted-printable":
            return quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        return raw

    def text_part(self):
        text, charset = self.text()
        lines = [text] + [self.text()[0] for _ in range(self.rnd.randrange(3))]
        body = "\r\n".join(t for t in lines if encodable(t, charset or "ascii"))
        kind = self.pick("plain", "plain", "plain", "html", "calendar", "x-diff")
        if kind == "html":
            body = ("<html><head><title>no title</title><style>p { color: red }</style></head>\r\n<body><p>"
                    + body.replace("\r\n", "</p>\r\n<div>") + " &amp; caf&eacute; &#8364;</div></body></html>")
        raw = body.encode(charset or "ascii")
        encoding = self.pick("base64", "quoted-printable")
        if not any(c > 127 for c in raw):
            encoding = self.pick(encoding, "7bit", None, "8BIT", "x-unknown")
        elif charset not in ("utf-16",):
            encoding = self.pick(encoding, "8bit")
        head = []
        if charset or kind != "plain" or self.rnd.random() < 0.5:
            quote = self.pick('"', "")
            value = f"Content-Type: text/{kind}" + (f";{self.pick(' ', chr(13) + chr(10) + ' ')}charset={quote}{charset}{quote}"
                                                    if charset else "")
            head.append(value.encode())
        if encoding:
            head.append(f"Content-Transfer-Encoding: {encoding}".encode())
        if self.rnd.random() < 0.1:
            head.append(b"Content-Disposition: attachment;\r\n filename*=utf-8''na%C3%AFve%20file.txt")
        return b"\r\n".join(head + [b"", b""]) + self.encode(raw, encoding) + self.pick(b"", b"\r\n")

    def binary_part(self):
        raw = self.rnd.randbytes(self.rnd.randrange(300))
        kind = self.pick("application/pdf", "image/png", "application/octet-stream", "audio/x-wav")
        head = f'Content-Type: {kind}; name="secret.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        return head.encode() + self.encode(raw, "base64")

    def multipart(self, depth):
        self.boundaries += 1
        boundary = self.pick("=_", "b", "simple boundary ", "----=_NextPart_") + "x" * self.boundaries
        subtype = self.pick("mixed", "alternative", "related", "signed", "report")
        head = f'Content-Type: multipart/{subtype};{self.pick(" ", chr(13) + chr(10) + chr(9))}boundary="{boundary}"\r\n\r\n'
        parts = [self.part(depth + 1) for _ in range(self.pick(1, 2, 2, 3))]
        marker = b"--" + boundary.encode()
        body = b"\r\n".join(marker + b"\r\n" + p for p in parts)
        end = self.pick(b"\r\n" + marker + b"--\r\n", b"\r\n" + marker + b"--", b"\r\n" + marker + b"--\r\nepilogue\r\n",
                        b"\r\n")  # the last: it never ends
        return head.encode() + self.pick(b"", b"This is a multi-part message.\r\n") + body + end

    def part(self, depth):
        choice = self.rnd.random()
        if depth < 4 and choice < 0.3:
            return self.multipart(depth)
        if depth < 3 and choice > 0.93:
            return b"Content-Type: message/rfc822\r\n\r\n" + self.message(depth + 1)
        if choice > 0.82:
            return self.binary_part()
        return self.text_part()

    # --- messages

    def message_id(self):
        host = self.pick("example.org", "mail.example.com")
        if self.rnd.random() < 0.1:
            return self.rnd.choice(self.later)
        self.ids.append(f"{self.rnd.randrange(1 << 40):x}@{host}")
        return self.ids[-1]

    def written_id(self, value):
        local, host = value.split("@")
        return f'<"{local}"@{host}>' if self.rnd.random() < 0.1 else f"<{value}>"

    def thread_headers(self):
        """Message-ID, References, In-Reply-To: mostly as they should be. Some refer to messages that
        come later, to themselves, or in a circle."""
        head, known = [], self.ids[-40:] + self.later
        chosen = self.rnd.sample(known, min(len(known), self.pick(0, 0, 1, 2, 3, 5)))
        missing = [f"missing{self.rnd.randrange(20)}@example.org" for _ in range(self.pick(0, 0, 0, 1, 2))]
        missing += [self.rnd.choice(self.later)] * (self.rnd.random() < 0.2)
        references = (missing + chosen) if self.rnd.random() < 0.8 else (chosen + missing)
        if references and self.rnd.random() < 0.75:
            between = self.pick(" ", "\r\n ", "\r\n\t", "")
            head.append("References: " + between.join(self.written_id(i) for i in references))
        elif references:
            head.append("In-Reply-To: " + self.pick("", "message of yesterday ") + self.written_id(references[-1])
                        + self.pick("", " from alice@example.org"))
        elif self.rnd.random() < 0.1:
            head.append(self.pick("References: nothing", "In-Reply-To: your mail", "References: <broken"))
        choice = self.rnd.random()
        if choice < 0.85:
            head.append("Message-ID: " + self.written_id(self.message_id()))
        elif choice < 0.9 and known:
            head.append("Message-Id: " + self.written_id(self.rnd.choice(known)))  # twice the same
        elif choice < 0.93:
            head.append("Message-ID: " + self.pick("", "no id at all", "<>"))
        return [h.encode() for h in head]

    def message(self, depth=0):
        head = [b"From: " + self.addresses()] if self.rnd.random() < 0.95 else []
        if self.rnd.random() < 0.93:
            subject = self.rnd.choice(SUBJECTS)
            if self.rnd.random() < 0.05:
                subject = "[Fwd: " + subject + "]"
            trailer = self.pick("", "", "", " (fwd)", "  ")
            head.append(b"Subject: " + self.rnd.choice(PREFIXES).encode() + self.phrase(subject) + trailer.encode())
        if self.rnd.random() < 0.93:
            head.append(b"Date: " + (self.rnd.choice(DATES) if self.rnd.random() < 0.95
                                     else self.rnd.choice(BAD_DATES)).encode())
        if self.rnd.random() < 0.9:
            head.append(b"To: " + self.addresses())
        if self.rnd.random() < 0.4:
            head.append(b"Cc: " + self.addresses())
        if self.rnd.random() < 0.05:
            head.append(b"Bcc: " + self.addresses())
        head += self.thread_headers()
        head += [self.rnd.choice(TRACE).encode() for _ in range(self.rnd.randrange(3))]
        self.rnd.shuffle(head)
        if self.rnd.random() < 0.8:
            head.append(b"MIME-Version: 1.0")
        return b"\r\n".join(head + [b""]) + self.part(depth)

    # --- what should not be, and is

    def broken(self):
        text = self.text()[0].encode()
        return self.rnd.choice([
            b"\r\nno header at all, only a body: " + text + b"\r\n",
            b"Subject: only a header\r\nFrom: bob@example.org\r\n",
            b"Subject: no empty line",
            b"\r\n",
            b"Content-Type: multipart/mixed\r\nSubject: no boundary\r\n\r\n--x\r\n\r\ninside " + text + b"\r\n--x--\r\n",
            b"Content-Type: multipart/mixed; boundary=never\r\nSubject: never met\r\n\r\nall of it " + text + b"\r\n",
            b"Content-Type: complete garbage\r\nSubject: garbage type\r\n\r\nbody " + text + b"\r\n",
            b"Subject: unknown charset\r\nContent-Type: text/plain; charset=x-nowhere\r\n\r\n" + text + b"\r\n",
            b"Subject: =?x-nowhere?Q?what_is_it?= and =?utf-8?B?broken\r\n\r\nbody\r\n",
            b"Subject: =?utf-8?Q?half_a_character=C3?= =?utf-8?Q?=BCber?=\r\n\r\nbody\r\n",
            b"Subject: half base64\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"twelve bytes and more")[:-1]
            + b"\r\n",
            b"Subject: bad qp\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=XY =3 equal=3Dsign soft=\r\nbreak =\r\n",
            b"Subject: bare line feeds\nFrom: Lf <lf@example.org>\nContent-Type: multipart/mixed; boundary=b\n\n"
            b"--b\n\nfirst part\n--b\nContent-Type: text/html\n\n<b>second</b> part\n--b--\n",
            b"Subject: 8 bit header \xfc\xe4\xf6 latin\r\nX-Utf: " + text + b"\r\n\r\nbody \xe4\xf6\xfc latin, too\r\n",
            b"Subject: long\r\n\r\n" + b"word " * 3000 + b"\r\n",
            b"Subject: twice\r\nSubject: the second one\r\nFrom: a@example.org\r\nFrom: b@example.org\r\n\r\nbody\r\n",
            b"Subject: two words of two charsets =?utf-8?Q?=C3=84?= =?iso-8859-1?Q?=D6?= end\r\n\r\nbody\r\n",
            b"Subject: a language =?utf-8*de?Q?Stra=C3=9Fe?=\r\n\r\nbody\r\n",
            b"Subject: cut kanji =?utf-8?B?5Lya?= =?utf-8?B?6K0=?= =?utf-8?B?sA==?=\r\n\r\nbody\r\n",
            b"Content-Type: text/plain; charset=utf-8\r\nSubject: 7 bit, they say\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            + text + b"\r\n",
            b"Content-Type: text/plain; name*0=\"first \"; name*1=\"second.txt\"\r\nSubject: in pieces\r\n\r\nbody\r\n",
            b"Content-Type: text/html\r\nSubject: html that never ends\r\n\r\n<p>one <b>two &lt;three&gt; &#x416;" + b"\r\n",
            b"Content-Type: multipart/mixed; boundary=a\r\nSubject: nested, one end\r\n\r\n--a\r\nContent-Type: "
            b"multipart/alternative; boundary=ab\r\n\r\n--ab\r\n\r\ninner " + text + b"\r\n--a\r\n\r\nouter\r\n--a--\r\n",
            b"Subject : space before the colon\r\n\r\nbody\r\n",
            b"From: <>\r\nTo: ,,\r\nSubject:\r\n\r\n\r\n",
            b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nSubject: the first second\r\n\r\nbody\r\n",
        ])


def corpus(rnd, n):
    maker = Maker(rnd)
    return [maker.broken() if rnd.random() < 0.12 else maker.message() for _ in range(n)]
