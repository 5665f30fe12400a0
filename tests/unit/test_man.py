"""man/ says what the code does: every setting and every command, both ways.

  test_man.py BUILD_FOLDER
"""
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


def settings_of_code(file):
    """{name: (default as the page writes it, reloadable)}"""
    rows = re.findall(r'S\((\w+),\s*(\w+),\s*"(.*?)",\s*\w+,\s*\w+,\s*([01]),',
                      (TOP / "common/conf" / file).read_text())
    found = {}
    for kind, name, preset, reload in rows:
        if kind == "CHOICE":
            preset = next(w[1:] for w in preset.split("|") if w.startswith("*"))
        found[name] = (preset or "none", reload == "1")
    return found


def settings_of_page():
    """Those of the file, and those of each kind of section, which have parts of the page to themselves"""
    page = (TOP / "man/postroad.conf.5").read_text()
    sections = [re.search(rf"^\.Sh {name}\n(.*?)^\.Sh ", page, re.M | re.S).group(1) for name in ("ROUTES", "TABLES")]
    rest = page
    for text in sections:
        rest = rest.replace(text, "")
    for text in rest, *sections:
        items = re.findall(r"^\.It Ic (\w+)\n.*\n.*; default: (.*?)(, restart)?\.$", text, re.M)
        yield {name: (preset, not restart) for name, preset, restart in items}


def commands_of_code(build):
    """{command: its arguments}, as the command's own help has them"""
    text = subprocess.run([Path(build) / "bin/postroad", "help"], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        if re.match("  [a-z]", line):
            # What it is for stands in a column behind it, or in the next line.
            usage = re.split(r" {2,}", line.strip())[0]
            words = re.match(r"[a-z][a-z-]*(?: [a-z][a-z-]*)*(?= |$)", usage)[0]
            found[words] = usage[len(words):].strip()
    return found


def options_of_code(build, command):
    """The options that the command line takes, as it tells a shell"""
    words = [Path(build) / "bin/postroad", "complete", "--", *command.split(), "--"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


def options_of_page(usage):
    picked = "--all --to --from --status"  # the page explains MESSAGES before the commands that take them
    return set(re.findall(r"--[a-z-]+", usage.replace("MESSAGES", picked)))


def plain(macros):
    """A line of mdoc as help writes it: `Ar user Op Fl -all` -> `USER [--all]`"""
    out, style, glue, depth = "", "Ic", True, []
    for word in re.findall(r'"[^"]*"|\S+', macros):
        if word in ("Ic", "Cm", "Ar", "Fl"):
            style = word
        elif word == "Ns":
            glue = True
        elif word in ("Op", "Oo"):
            out += ("" if glue else " ") + "["
            depth.append(word)
            glue = True
        elif word == "Oc":
            while depth and depth.pop() == "Op":
                out += "]"
            out += "]"
            glue = False
        else:
            word = word.strip('"')
            text = {"Ar": word.upper(), "Fl": "-" + word}.get(style, word)
            mark = "" if glue or word in ("|", "...") and out.endswith("|") else " "
            out += mark + text
            glue = False
    return out + "]" * len(depth)


def commands_of_page():
    """The same of the page"""
    found = {}
    for item in re.findall(r"^\.It Ic ([a-z].*)$", (TOP / "man/postroad.8").read_text(), re.M):
        usage = plain("Ic " + item)
        words = re.match(r"[a-z][a-z-]*(?: [a-z][a-z-]*)*(?= |$)", usage)[0]
        found[words] = usage[len(words):].strip()
    return found


def differences(build):
    for file, page in zip(("settings.h", "route.h", "table.h"), settings_of_page()):
        code = settings_of_code(file)
        for name in sorted(code.keys() | page.keys()):
            if code.get(name) != page.get(name):
                yield f"setting {name}: {file} {code.get(name)}, man/postroad.conf.5 {page.get(name)}"
    code, page = commands_of_code(build), commands_of_page()
    for command in sorted(code.keys() | page.keys()):
        if code.get(command) != page.get(command):
            yield f"postroad {command}: help says {code.get(command)!r}, man/postroad.8 {page.get(command)!r}"
        elif options_of_code(build, command) != options_of_page(page[command]):
            yield f"postroad {command} takes {options_of_code(build, command)}, man/postroad.8 has {page[command]!r}"


def main():
    wrong = list(differences(sys.argv[1]))
    print("\n".join(wrong) or "man pages and code agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
