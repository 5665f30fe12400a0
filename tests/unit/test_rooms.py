"""The house rules that a compiler does not check.

  test_rooms.py BUILD_FOLDER

- a file includes only its own room, the rooms that its CMakeLists.txt declares, and never a program
- rooms are entered by their door, common/ROOM/ROOM.h
- no cycle among rooms
- the objects of a PURE room call nothing that does I/O, reads a clock or makes random bytes
"""
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent

IMPURE = re.compile(
    r"^(open|openat|creat|read|pread|readv|preadv|write|pwrite|writev|pwritev|close|fsync|fdatasync|sync|"
    r"syncfs|fopen|fdopen|freopen|fread|fwrite|fgets|fputs|getline|printf|puts|putchar|perror|socket|bind|listen|"
    r"accept|connect|send|sendto|sendmsg|recv|recvfrom|recvmsg|socketpair|pipe|poll|select|epoll_wait|"
    r"ioctl|mmap|stat|fstat|lstat|unlink|rename|mkdir|opendir|readdir|chdir|fork|execve|kill|system|popen|"
    r"time|gettimeofday|clock_gettime|clock|nanosleep|sleep|usleep|rand|random|getrandom|getentropy|arc4random|"
    r"pthread_create|getenv|syslog|localtime|localtime_r|mktime|getaddrinfo|gethostname)(64|2)?(_chk)?$")
# base reports a broken promise of our own on stderr before it aborts.
ALLOWED = {"base": {"fprintf", "__fprintf_chk", "abort"}}


class House:
    def __init__(self, build):
        self.build = Path(build)
        self.folders, self.uses, self.pure, self.kinds = {}, {}, {}, {}
        for line in (self.build / "rooms.txt").read_text().splitlines():
            kind, name, folder, pure, *uses = line.split(" ")
            self.kinds[name], self.folders[name] = kind, folder
            self.pure[name] = pure in ("TRUE", "ON", "1")
            self.uses[name] = {u for u in uses[0].split(",") if u} if uses else set()

    def room_of(self, path):
        """The innermost room or program that a repository path lies in."""
        best = None
        for name, folder in self.folders.items():
            if path.startswith(folder + "/") and (best is None or len(folder) > len(self.folders[best])):
                best = name
        return best

    def files(self, name):
        for path in sorted((TOP / self.folders[name]).glob("**/*.[ch]")):
            text = str(path.relative_to(TOP))
            if self.room_of(text) == name:
                yield text

    def door(self, name):
        return f"{self.folders[name]}/{Path(self.folders[name]).name}.h"


def wrong_includes(house):
    for name in house.folders:
        for path in house.files(name):
            for target in re.findall(r'^\s*#\s*include\s+"([^"]+)"', (TOP / path).read_text(), re.M):
                other = house.room_of(target)
                if not (TOP / target).exists():
                    yield f"{path}: includes {target}, which is not there (write it from the top)"
                elif other is None or other == name:
                    continue
                elif house.kinds[other] == "program":
                    yield f"{path}: includes {target} of the program {other}"
                elif other not in house.uses[name]:
                    yield f"{path}: includes {target}, but {name} does not declare {other}"
                elif target != house.door(other):
                    yield f"{path}: includes {target}, not the door {house.door(other)}"


def cycles(house):
    done, path = set(), []

    def walk(name):
        if name in path:
            yield "cycle: " + " -> ".join(path[path.index(name):] + [name])
            return
        if name in done:
            return
        path.append(name)
        for other in sorted(house.uses.get(name, ())):
            yield from walk(other)
        path.pop()
        done.add(name)

    for name in sorted(house.folders):
        yield from walk(name)


def unknown_uses(house):
    for name, uses in house.uses.items():
        for other in uses - set(house.folders):
            yield f"{name} declares {other}, which is no room"


def impure_calls(house):
    for name, pure in house.pure.items():
        if not pure:
            continue
        archive = house.build / house.folders[name] / f"lib{name}_room.a"
        listing = subprocess.run(["nm", "-A", "-u", archive], capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            symbol = line.split()[-1].split("@")[0]
            if IMPURE.match(symbol) and symbol not in ALLOWED.get(name, ()):
                yield f"{name} is PURE, but {line.split(':')[1]} calls {symbol}"


def main():
    house = House(sys.argv[1])
    assert len(house.folders) > 5 and any(house.pure.values()), "rooms.txt is empty"
    wrong = [text for check in (wrong_includes, cycles, unknown_uses, impure_calls) for text in check(house)]
    print("\n".join(wrong) or f"{len(house.folders)} rooms and programs, no rule broken")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
