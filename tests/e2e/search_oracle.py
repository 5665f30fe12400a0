"""What SEARCH, SORT and THREAD should answer, worked out from the raw messages.

Slow and plain on purpose, and by other code than the server's: Python's email package takes the
messages apart, unicodedata folds. docs/search.md and docs/imap.md have the rules.
"""
import datetime
import email
import email.errors
import email.utils
import html.parser
import re
import unicodedata

# --- folding ------------------------------------------------------------------------------


def fold_char(c):
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", c).casefold())
    out = ""
    for d in decomposed:
        if d in WHITE:
            out += " "
        elif unicodedata.category(d) not in ("Mn", "Cc", "Cf"):
            out += d
    return out


WHITE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200b)}
FOLDED = {}


def fold(text):
    out = []
    for c in text:
        if c not in FOLDED:
            FOLDED[c] = fold_char(c)
        out.append(FOLDED[c])
    return re.sub(" +", " ", "".join(out))


def casemap(text):
    """i;unicode-casemap [RFC5051]: simple titlecase, then decompositions as far as they go."""
    return "".join(decompose(c.title() if len(c.title()) == 1 else c) for c in text).encode("utf-8", "surrogateescape")


def decompose(c):
    mapping = unicodedata.decomposition(c)
    if not mapping:
        return c
    return "".join(decompose(chr(int(x, 16))) for x in mapping.split() if not x.startswith("<"))


# --- charsets and header texts ---------------------------------------------------------------

ALIASES = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc-kr": "cp949",
           "iso-8859-9": "cp1254", "tis-620": "cp874", "us-ascii": "utf-8", "": "utf-8"}


def decode(raw, charset):
    charset = charset.lower()
    try:
        name = ALIASES.get(charset, charset)
        "".encode(name)
        return raw.decode(name, "replace")
    except LookupError:
        return guess(raw)


def guess(raw):
    """What names no charset: UTF-8 when it is, else windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


WORD = re.compile(rb"=\?([^?*\s]+)(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=")


def word_bytes(match):
    text = match[3]
    if match[2] in b"bB":
        return base64_bytes(text)
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.replace(b"_", b" "))


def base64_bytes(text):
    """As much of it as there is, whatever stands between."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bits = "".join(f"{alphabet.index(c):06b}" for c in text if c in alphabet)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) - 7, 8))


def header_text(raw):
    """A field's value as text: folds undone, encoded words decoded [RFC2047]."""
    raw = re.sub(rb"\r?\n(?=[ \t])", b"", raw).strip(b" \t\r\n")
    raw = re.sub(rb"[\r\n]", b" ", raw)
    out, at, pending, charset = "", 0, b"", None
    for m in WORD.finditer(raw):
        between = raw[at:m.start()]
        if charset is not None and not between.strip(b" \t") and m[1].lower() == charset.lower():
            pending += word_bytes(m)
        else:
            if charset is not None:
                out += decode(pending, charset.decode("latin-1"))
            if charset is None or between.strip(b" \t"):
                out += guess(between)
            pending, charset = word_bytes(m), m[1]
        at = m.end()
    if charset is not None:
        out += decode(pending, charset.decode("latin-1"))
    return out + guess(raw[at:])


# --- a message ----------------------------------------------------------------------------------


class Text(html.parser.HTMLParser):
    DROPPED = {"style", "script", "head", "title"}
    BLOCKS = {"p", "div", "br", "body", "html", "table", "tr", "td", "li", "ul", "b"} - {"b"}

    def __init__(self):
        super().__init__()
        self.out, self.dropping = "", 0

    def handle_starttag(self, tag, attrs):
        self.dropping += tag in ("style", "script", "head")
        self.out += " " * (tag in self.BLOCKS)

    def handle_endtag(self, tag):
        self.dropping -= tag in ("style", "script", "head") and self.dropping > 0
        self.out += " " * (tag in self.BLOCKS)

    def handle_data(self, data):
        if not self.dropping:
            self.out += data


def html_text(text):
    parser = Text()
    parser.feed(text)
    parser.close()
    return parser.out


def raw_headers(raw):
    """(name, value) of the fields at the top of a message, as bytes."""
    lf = b"\n" if is_lf(raw) else b"\r\n"
    head = b"" if raw.startswith(lf) else raw.split(lf + lf, 1)[0] + lf
    fields = []
    for line in head.split(lf):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1] += lf + line
        elif b":" in line:
            name, value = line.split(b":", 1)
            fields.append([name.rstrip(b" \t"), value])
    return [(n.decode("latin-1"), v) for n, v in fields]


def is_lf(raw):
    first = raw.split(b"\n", 1)[0]
    return b"\n" in raw and not first.endswith(b"\r")


def decoded_body(part, end):
    """A leaf's body without its transfer encoding."""
    raw = part._payload.encode("ascii", "surrogateescape") if isinstance(part._payload, str) else b""
    raw += end
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        return base64_bytes(raw)
    if encoding == "quoted-printable":
        raw = re.sub(rb"=[ \t]*\r?\n", b"", raw)
        raw = re.sub(rb"=$", b"", raw)
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), raw)
    return raw


class Message:
    """A message of the mailbox. `number` and `uid` are set by who puts it there."""

    def __init__(self, raw, internal, flags=()):
        self.raw, self.internal, self.flags = raw, internal, set(flags)
        # The email package takes "Subject : x" for the body's first line.
        self.parsed = email.message_from_bytes(re.sub(rb"\A([!-9;-~]+)[ \t]+:", rb"\1:", raw))
        self.headers = raw_headers(raw)
        self.lines = [(n, header_text(v) + parameters(self.parsed, n)) for n, v in self.headers]
        self.body = []
        self.take_parts(self.parsed)
        self.folded_lines = [(n.lower(), fold(n) + ": ", fold(v)) for n, v in self.lines]
        self.folded_body = [fold(t) for t in self.body]
        self.base, self.is_reply = base_subject(self.text_of("subject"))
        self.size = len(raw)

    # --- fields

    def raw_of(self, name):
        return next((v for n, v in self.headers if n.lower() == name), None)

    def text_of(self, name):
        return next((v for n, v in self.lines if n.lower() == name), "")

    # --- text

    def take_parts(self, part, inner=False, unended=None):
        """`unended`: the message ends in this part, whose multiparts have no end. Of such a part the
        email package drops the last line end."""
        if inner:
            self.body += [f"{n}: {header_text(str_bytes(v))}{parameters(part, n)}" for n, v in part._headers]
        if part.is_multipart():
            children = part.get_payload()
            if part.get_content_maintype() == "multipart":
                unended = unended is not False and any(
                    isinstance(d, email.errors.CloseBoundaryNotFoundDefect) for d in part.defects)
            for child in children:
                self.take_parts(child, part.get_content_maintype() == "message",
                                unended if child is children[-1] else False)
        elif part.get_content_maintype() == "text" or self.has_no_boundary(part):
            charset = part.get_param("charset")
            charset = charset if isinstance(charset, str) else ""
            raw = decoded_body(part, b"\n" if unended and self.raw.endswith(b"\n") else b"")
            text = decode(raw, charset) if charset else guess(raw)
            self.body.append(html_text(text) if part.get_content_subtype() == "html" else text)

    @staticmethod
    def has_no_boundary(part):
        """Then it is text; one whose boundary is never met is nothing but a preamble."""
        return part.get_content_maintype() == "multipart" and part.get_boundary() is None

    def has_header(self, name, needle):
        return any(n == name.lower() and fold(needle) in v for n, _, v in self.folded_lines)

    def in_body(self, needle):
        return not fold(needle) or any(fold(needle) in t for t in self.folded_body)

    def in_text(self, needle):
        return self.in_body(needle) or any(fold(needle) in n + v for _, n, v in self.folded_lines)

    # --- dates

    def date_field(self):
        """(seconds, day as it stands) or None."""
        raw = self.raw_of("date")
        parsed = email.utils.parsedate_tz(raw.decode("latin-1")) if raw is not None else None
        if not parsed or not 1 <= parsed[1] <= 12:
            return None
        try:
            day = datetime.date(*parsed[:3])
            seconds = email.utils.mktime_tz(parsed[:9] + (parsed[9] or 0,))
        except (ValueError, OverflowError):
            return None
        return max(seconds, 0), day

    def sent(self):
        date = self.date_field()
        return date[0] if date else self.internal

    # --- what SORT reads

    def first_address(self, field):
        """(mailbox, display) of the first address: decoded, as SORT and SORT=DISPLAY want it."""
        raw = self.raw_of(field)
        if raw is None:
            return "", ""
        return first_address(raw)

    # --- what THREAD reads

    def message_id(self):
        return next(iter(message_ids(self.raw_of("message-id"))), None)

    def references(self):
        return message_ids(self.raw_of("references")) or message_ids(self.raw_of("in-reply-to"))[:1]


def parameters(part, name):
    """Those of a MIME field that has encoded ones [RFC2231], once more, decoded."""
    if name.lower() not in ("content-type", "content-disposition") or "*" not in str(part.get(name, "")):
        return ""
    return "".join(f"; {n}={email.utils.collapse_rfc2231_value(v)}" for n, v in part.get_params(header=name)[1:])


def str_bytes(value):
    return value.encode("ascii", "surrogateescape") if isinstance(value, str) else str(value).encode()


def first_address(raw):
    raw = re.sub(rb"\r?\n(?=[ \t])", b"", raw).decode("latin-1").strip()
    group = re.match(r"([^:<>@\"]*):(.*);$", raw)
    if group:
        inside = first_address(group[2].encode("latin-1"))
        return inside[0], header_text(group[1].encode("latin-1"))
    item = split_addresses(raw)
    if not item:
        return "", ""
    angle = re.match(r"(.*)<([^<>]*)>$", item)
    name, spec = (angle[1].strip(), angle[2]) if angle else ("", item)
    comment = re.match(r"(.*?)\s*\((.*)\)$", spec)
    if comment:
        name, spec = comment[2], comment[1].strip()
    name = re.sub(r'^"(.*)"$', r"\1", name)
    local, _, host = spec.rpartition("@")
    local = re.sub(r'^"(.*)"$', r"\1", local)
    display = header_text(name.encode("latin-1")) if name else f"{local}@{host}" if spec else ""
    return local, display


def split_addresses(raw):
    """The first that is not empty."""
    depth, quoted, item = 0, False, ""
    for c in raw + ",":
        if c == '"':
            quoted = not quoted
        if c == "," and not quoted:
            if item.strip() and item.strip() != "<>":
                return item.strip()
            item = ""
        else:
            item += c
    return ""


def message_ids(raw):
    """Message ids in a field, quotes taken off, as they are compared."""
    if raw is None:
        return []
    text = re.sub(rb"\s+", b"", raw).decode("latin-1")
    return [i.replace('"', "") for i in re.findall(r"<([^<>]+)>", text)]


# --- base subject [RFC5256 2.1] --------------------------------------------------------------

BLOB = r"\[[^\[\]]*\][ \t]*"
LEADER = re.compile(rf"(?:(?:{BLOB})*(?:re|fwd?)[ \t]*(?:{BLOB})?:|[ \t])", re.I)
TRAILER = re.compile(r"(?:\(fwd\)|[ \t])$", re.I)


def base_subject(text):
    """(base subject, whether it marks a reply or a forward)"""
    text = re.sub(r"[ \t\r\n]+", " ", text)
    marked = False
    while True:
        while (m := TRAILER.search(text)):
            marked |= bool(m[0].strip())
            text = text[:m.start()]
        while True:
            before = text
            while (m := LEADER.match(text)):
                marked |= bool(m[0].strip())
                text = text[m.end():]
            m = re.match(BLOB, text)
            if m and text[m.end():]:
                text = text[m.end():]
            if text == before:
                break
        if not (text.lower().startswith("[fwd:") and text.endswith("]")):
            return text, marked
        text, marked = text[5:-1], True


# --- SORT -------------------------------------------------------------------------------------


def sort_key(message, field):
    name = field.lower()
    if name == "arrival":
        return message.internal
    if name == "date":
        return message.sent()
    if name == "size":
        return message.size
    if name == "subject":
        return casemap(message.base)
    if name.startswith("display"):
        return casemap(message.first_address(name[7:])[1])
    return casemap(message.first_address(name)[0])


def sort(messages, criteria):
    """criteria: [(field, reverse)]; messages in the order of their numbers."""
    out = list(messages)
    for field, reverse in reversed(criteria):
        out.sort(key=lambda m: sort_key(m, field), reverse=reverse)
    # A reversed key does not reverse what is equal: Python keeps that order, too.
    return out


# --- THREAD -----------------------------------------------------------------------------------


class Node:
    def __init__(self, message=None):
        self.message, self.parent, self.children = message, None, []

    def add(self, child):
        if child.parent:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def cut(self):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = None

    def has(self, other):
        while other:
            if other is self:
                return True
            other = other.parent
        return False

    def first(self):
        """The message that stands for it: itself, or a dummy's first child."""
        return self.message or min((c.first() for c in self.children), key=date_of)


def date_of(message):
    return message.sent(), message.number


def show(node, write):
    text = write(node.message) if node.message else ""
    children = sorted(node.children, key=lambda n: date_of(n.first()))
    if len(children) == 1 and node.message:
        return text + " " + show(children[0], write)
    inner = "".join(f"({show(c, write)})" for c in children)
    return text + (" " if text and inner else "") + inner


def show_all(roots, write):
    return "".join(f"({show(n, write)})" for n in sorted(roots, key=lambda n: date_of(n.first())))


def ordered_subject(messages, write):
    threads = {}
    for m in sorted(messages, key=date_of):
        node = Node(m)
        first = threads.setdefault(casemap(m.base), node)
        if first is not node:
            first.add(node)
    return show_all(threads.values(), write)


def references(messages, write):
    roots = prune(link(messages))
    roots.sort(key=lambda n: date_of(n.first()))
    return show_all(merge_subjects(roots), write)


def link(messages):
    """Steps 1 and 2 [RFC5256 3]."""
    by_id, nodes = {}, []

    def node_of(message_id):
        if message_id not in by_id:
            by_id[message_id] = Node()
            nodes.append(by_id[message_id])
        return by_id[message_id]

    for m in messages:
        own = m.message_id()
        node = node_of(own) if own else None
        if node is None or node.message:
            node = Node()
            nodes.append(node)
        node.message = m
        before = None
        for reference in m.references():
            other = node_of(reference)
            if before and other.parent is None and not other.has(before):
                before.add(other)
            before = other
        node.cut()
        if before and not node.has(before):
            before.add(node)
    return [n for n in nodes if n.parent is None]


def prune(roots):
    """Step 3, from below."""
    out = []
    for root in roots:
        pruned = prune_node(root)
        if root.message is None and len(pruned) > 1:
            root.children = []
            for child in pruned:
                child.parent = None
                root.add(child)
            pruned = [root]
        for node in pruned:
            node.parent = None
        out += pruned
    return out


def prune_node(node):
    """What takes the place of a node: itself, or the children of a dummy."""
    children = [c for child in node.children for c in prune_node(child)]
    if node.message is None:
        return children
    node.children = []
    for child in children:
        child.parent = None
        node.add(child)
    return [node]


def merge_subjects(roots):
    """Step 5."""
    table = {}
    for node in roots:
        subject = casemap(node.first().base)
        if not subject:
            continue
        other = table.get(subject)
        if other is None or (other.message and (node.message is None or
                                                (other.message.is_reply and not node.message.is_reply))):
            table[subject] = node
    out = list(roots)
    for node in roots:
        subject = casemap(node.first().base)
        if not subject or table[subject] is node or node.parent:
            continue
        other = table[subject]
        if node.message is None and other.message is None:
            for child in list(node.children):
                other.add(child)
            out.remove(node)
        elif other.message is None or (node.message.is_reply and not other.message.is_reply):
            out.remove(node)
            other.add(node)
        else:
            dummy = Node()
            out.remove(node)
            out.remove(other)
            dummy.add(node)
            dummy.add(other)
            out.append(dummy)
            table[subject] = dummy
    return out
