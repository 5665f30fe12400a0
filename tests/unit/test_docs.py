"""docs/ says what the code does.

- every relative link in a *.md leads somewhere
- every `file.c:function` named in a *.md is there
- docs/logging.md lists every event that is logged, with its fields, and no other
- docs/metrics.md lists every name that a status() prints, by program, and no other
"""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ["admin", "authd", "common", "delivery", "gate", "imapd", "master", "pickup", "pop3d", "qmgr",
            "resolver", "smtpd", "spoold"]
NAME = r"[a-z0-9]+(?:\.[a-z0-9_]+)+"


def pages():
    for path in sorted(TOP.glob("**/*.md")):
        if not path.relative_to(TOP).parts[0].startswith(("build", ".")):
            yield path, path.read_text()


def sources():
    for folder in PROGRAMS:
        for path in sorted((TOP / folder).glob("**/*.c")):
            yield str(path.relative_to(TOP)), path.read_text()


# --- links and functions ------------------------------------------------------------------

def broken_links():
    for path, text in pages():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            if not (path.parent / target.split("#")[0]).exists():
                yield f"{path.relative_to(TOP)}: no {target}"


def has_function(path, name):
    if path.suffix == ".py":
        return re.search(rf"^\s*def {name}\(", path.read_text(), re.M)
    return re.search(rf"^(?:\w[\w\s*]*[\s*])?{name}\(", path.read_text(), re.M)


def missing_functions():
    for path, text in pages():
        for file, name in re.findall(r"`([\w/.]+\.(?:c|h|py)):(\w+)(?:\(\))?`", text):
            if not (TOP / file).exists() or not has_function(TOP / file, name):
                yield f"{path.relative_to(TOP)}: no {file}:{name}"


# --- events ------------------------------------------------------------------------------------

def call_end(text, start):
    """Behind the parenthesis that closes the one before `start`."""
    depth, at = 1, start
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def fields_of(call):
    found = {"error"} if "L_ERR(" in call else set()
    for first in re.findall(r"L_(?:SPAN|STR|U64|I64|HEX)\(([^,]*),", call):
        found |= set(re.findall(r'"(\w+)"', first))
    return found


def calls_of(text, function):
    for match in re.finditer(rf"\b{function}\(", text):
        yield text[match.start():call_end(text, match.end())]


def events_of_source(text):
    """(name, fields, whether each event has them all): a name may come from a table of the
    same file, which says no more than that some have them, or by way of a function of it."""
    for call in calls_of(text, "logline"):
        for name in re.findall(rf'LOGLINE_\w+,\s*"({NAME})"', call):
            yield name, fields_of(call), True
        for table in re.findall(r"LOGLINE_\w+,\s*(\w+)\[", call):
            rows = re.search(rf"\b{table}\[\]\s*=\s*{{(.*?)}};", text, re.S)[1]
            for name in re.findall(rf'"({NAME})"', rows):
                yield name, fields_of(call), False
        if re.search(r"logline\(\s*level,\s*event,", call):
            for name in re.findall(rf'\blog_\w+\(\s*LOGLINE_\w+,\s*"({NAME})"', text):
                yield name, fields_of(call), True
    for name, field in re.findall(r'"(log\.\w+) (\w+)=%', text):
        yield name, {field}, True


def events_of_code():
    found = {}
    for _, text in sources():
        for name, fields, exact in events_of_source(text):
            known, was_exact = found.get(name, (set(), True))
            found[name] = known | fields, was_exact and exact
    return found


def events_of_page():
    text = (TOP / "docs/logging.md").read_text()
    return {name: set(re.findall(r"\w+", fields))
            for name, fields in re.findall(rf"^\| `({NAME})` \|([^|]*)\|", text, re.M)}


def wrong_events():
    code, page = events_of_code(), events_of_page()
    for name in sorted(code.keys() ^ page.keys()):
        yield f"event {name} is not in both of the code and docs/logging.md"
    for name in sorted(code.keys() & page.keys()):
        fields, exact = code[name]
        if page[name] != fields if exact else not page[name] <= fields:
            yield f"event {name}: code {sorted(fields)}, docs/logging.md {sorted(page[name])}"


# --- metrics -----------------------------------------------------------------------------------

def section_of(path):
    special = {"common/proc/main.c": "every program", "delivery/bounce/main.c": "bounce",
               "delivery/local/local.c": "local",
               "delivery/remote/main.c": "remote",
               "resolver/main.c": "resolved"}
    return special.get(path, path.split("/")[0])


def metrics_of_code():
    found = {}
    for path, text in sources():
        for body in re.findall(r"^(?:\w*status|send_own_row)\([^;{]*\)\n{(.*?)^}", text, re.M | re.S):
            names = re.findall(r'{"([\w.]+)",', body)
            for call in calls_of(body, "buf_putf"):
                names += [name.replace("%s", "NAME")
                          for name in re.findall(r'(?:"|\\n)([a-z][\w.]*(?:%s)?) (?=%|")', call)]
            if names and not path.startswith("admin/"):
                found.setdefault(section_of(path), set()).update(names)
    return found


def metrics_of_page():
    found = {}
    for part in (TOP / "docs/metrics.md").read_text().split("\n## ")[1:]:
        names = set(re.findall(r"^\| `([\w.]+)` \|", part, re.M))
        found[part.split("\n")[0].strip()] = names
    return found


def wrong_metrics():
    code, page = metrics_of_code(), metrics_of_page()
    for program in sorted(code.keys() | page.keys()):
        for name in sorted(code.get(program, set()) ^ page.get(program, set())):
            yield f"metric {name} of {program} is not in both of the code and docs/metrics.md"


def main():
    checks = [broken_links, missing_functions, wrong_events, wrong_metrics]
    wrong = [text for check in checks for text in check()]
    print("\n".join(wrong) or f"{len(list(pages()))} pages, {len(events_of_code())} events, nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
