"""A measurement that ends, however that comes, leaves nothing running and nothing mounted."""
import ctypes
import os
import signal
import sys
import time

import measure

PR_SET_CHILD_SUBREAPER = 36
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(main):
    """Calls it; what it has started, daemons too, is gone when the program has ended."""
    # Whoever loses its parent becomes our child: so the tree below us has all of them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent = os.getpid()
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: end(number, parent))
    try:
        sys.exit(main())
    except TimeoutError as error:
        sys.exit(str(error))
    finally:
        kill_all()


def end(number, parent):
    """The first one unwinds all that is under way, which no second one disturbs."""
    if os.getpid() != parent:
        os._exit(128 + number)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def kill_all():
    end_at = time.monotonic() + 10
    while (pids := set(measure.tree(os.getpid())) - {os.getpid()}) and time.monotonic() < end_at:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.05)


def file_end(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def show_logs(peer):
    """What its servers said last, for an error that is told."""
    return "".join(f"\n--- the end of {path}:\n{file_end(path)}" for path in getattr(peer, "logs", ()))
