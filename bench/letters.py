"""Messages of 2 KB as people write them, the same for every server and every run."""
import random

WORDS = """the of and to in is you that it he was for on are as with his they at be this have from or one
had by word but not what all were we when your can said there use an each which she do how their if will
up other about out many then them these so some her would make like him into time has look two more write
go see number no way could people my than first water been call who oil its now find long down day did get
come made may part meeting invoice project budget report schedule contract update customer delivery order
ticket server release question answer review draft attached regards tomorrow yesterday morning""".split()
PEOPLE = ["Anna Berg", "Tom\u00e1s Novak", "Li Wei", "Maria Santos", "John Carter", "Ute Schr\u00f6der",
          "Priya Nair", "Yuki Tanaka", "Omar Haddad", "Ella Nilsson"]
NEEDLE = "quixotically"  # in one message of a thousand
BYTES = 2048


def person(random):
    name = random.choice(PEOPLE)
    address = f"{name.split()[0].lower()}{random.randrange(500)}@example{random.randrange(40)}.com"
    address = address.encode("ascii", "ignore").decode()
    if name.isascii():
        return f"{name} <{address}>"
    text = "=" + name.encode().hex("=", 1).upper()
    return f"=?utf-8?q?={text}?= <{address}>"


def text(random, n):
    words, size = [], 0
    while size < n:
        word = random.choice(WORDS)
        words.append(word + ("\r\n" if size % 70 > 60 else " "))
        size += len(words[-1])
    return "".join(words)


def message(number, seed=1):
    r = random.Random(seed * 1_000_003 + number)
    parent = number - number % 8  # threads of eight
    subject = " ".join(random.Random(seed + parent).choices(WORDS, k=5))
    day, hour, minute = 1 + number // 5000 % 28, number // 200 % 24, number % 60
    date = f"{day} Mar 2025 {hour:02}:{minute:02}:{number % 59:02} +0100"
    head = [f"Received: from mail{r.randrange(99)}.example.com (mail.example.com [192.0.2.{r.randrange(255)}])",
            f"\tby mx.example.org with ESMTPS id {r.randrange(1 << 40):x}; Sat, {date}",
            f"Message-ID: <{number}.{seed}@bench.example.com>", f"Date: {date}",
            f"From: {person(r)}", f"To: {person(r)}, {person(r)}",
            f"Subject: {'Re: ' if number != parent else ''}{subject}", "MIME-Version: 1.0",
            f"X-Mailer: Bench {r.randrange(9)}.{r.randrange(9)}", "List-Id: <bench.lists.example.com>"]
    if number != parent:
        head += [f"In-Reply-To: <{parent}.{seed}@bench.example.com>",
                 f"References: <{parent}.{seed}@bench.example.com>"]
    if r.random() < 0.05:
        head.append(f"Cc: {person(r)}")
    needle = f" {NEEDLE} " if number % 1000 == 7 else ""
    if number % 4 == 0:
        head.append('Content-Type: multipart/alternative; boundary="b1"')
        room = max(BYTES - len("\r\n".join(head)) - 260, 200) // 2
        body = ("--b1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                + needle + text(r, room) + "\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>"
                + text(r, room) + "</p></body></html>\r\n--b1--\r\n")
    else:
        head.append("Content-Type: text/plain; charset=utf-8")
        body = needle + text(r, max(BYTES - len("\r\n".join(head)) - 20, 200)) + "\r\n"
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def messages(first, n, seed=1):
    return [message(i, seed) for i in range(first, first + n)]
