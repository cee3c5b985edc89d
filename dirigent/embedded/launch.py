"""Become another user, arrange to die with the parent, then become the given program.

Run as `python -I -S launch.py UID:GID SIGNAL PARENT program argument...`. A program of its own instead of `preexec_fn`, which is unsafe
beside threads. Everything is imported before the user changes: the new user may not be able to read the interpreter's folder.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Give up rights, set the death signal, and execute the program in place of this process."""
    user, death_signal, parent, *program = arguments
    uid, gid = (int(part) for part in user.split(":"))
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if libc is not None:
        # After setuid, which clears it; exec keeps it.
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            # The parent ended before the death signal was set: nobody would ever end this process.
            os.kill(os.getpid(), signal.SIGKILL)
    os.umask(0o077)
    # Python ignores SIGPIPE, and exec would hand that on to programs that do not expect it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(program[0], program)  # noqa: S606  # no shell is wanted: this process becomes the program
    except OSError as error:
        os.write(2, f"dirigent: cannot execute {program[0]}: {error.strerror}\n".encode())
        os._exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
