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
    """Those of the file, and those of a `route` section, which have a part of the page to themselves"""
    page = (TOP / "man/postroad.conf.5").read_text()
    routes = re.search(r"^\.Sh ROUTES\n(.*?)^\.Sh ", page, re.M | re.S).group(1)
    for text in page.replace(routes, ""), routes:
        items = re.findall(r"^\.It Ic (\w+)\n.*\n.*; default: (.*?)(, restart)?\.$", text, re.M)
        yield {name: (preset, not restart) for name, preset, restart in items}


def commands_of_code(build):
    text = subprocess.run([Path(build) / "bin/postroad", "help"], capture_output=True, text=True, check=True).stdout
    return {" ".join(re.match(r"  ([a-z]+(?: [a-z]+)?)", line).group(1).split())
            for line in text.splitlines() if line.startswith("  ")}


def commands_of_page():
    items = re.findall(r"^\.It Ic ([a-z]+(?: [a-z]+)?)", (TOP / "man/postroad.8").read_text(), re.M)
    return set(items)


def differences(build):
    for file, page in zip(("settings.h", "route.h"), settings_of_page()):
        code = settings_of_code(file)
        for name in sorted(code.keys() | page.keys()):
            if code.get(name) != page.get(name):
                yield f"setting {name}: {file} {code.get(name)}, man/postroad.conf.5 {page.get(name)}"
    for command in sorted(commands_of_code(build) ^ commands_of_page()):
        yield f"command '{command}' is not in both of `postroad help` and man/postroad.8"


def main():
    wrong = list(differences(sys.argv[1]))
    print("\n".join(wrong) or "man pages and code agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
