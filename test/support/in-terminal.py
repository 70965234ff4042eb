"""Runs a command in a pseudo-terminal. Reads one JSON document on stdin:

  { argv, environment, columns, rows, steps: [{ after, resize?: [columns, rows], signal? }] }

A step is taken when so many bytes of output have the text `after` in them, once each, in order; what
came before is not looked at again. Writes { output, code, signal, cpuSeconds, bytes } when the command
has ended.
"""
import base64
import fcntl
import json
import os
import pty
import resource
import select
import signal
import struct
import sys
import termios

asked = json.load(sys.stdin)


def resize(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


process, terminal = pty.fork()
if process == 0:
    # The child waits for its size: the first thing read is its leave to begin.
    os.read(0, 1)
    os.execvpe(asked["argv"][0], asked["argv"], {**os.environ, **asked["environment"]})
attributes = termios.tcgetattr(terminal)
attributes[3] &= ~termios.ECHO
termios.tcsetattr(terminal, termios.TCSANOW, attributes)
resize(asked["columns"], asked["rows"])
os.write(terminal, b"\n")

output = bytearray()
seen = 0
steps = list(asked["steps"])
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    try:
        chunk = os.read(terminal, 65536) if ready else b""
    except OSError:
        chunk = b""
    if not chunk:
        break
    output += chunk
    while steps:
        at = output.find(steps[0]["after"].encode(), seen)
        if at < 0:
            break
        seen = at + 1
        step = steps.pop(0)
        if "resize" in step:
            resize(*step["resize"])
        if step.get("signal") == "SIGCONT":
            # What is not stopped yet would be stopped after it.
            os.waitpid(process, os.WUNTRACED)
        if "signal" in step:
            os.kill(process, getattr(signal, step["signal"]))
_, status = os.waitpid(process, 0)
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump(
    {
        "output": base64.b64encode(bytes(output)).decode(),
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None,
        "stepsLeft": len(steps),
        "cpuSeconds": spent.ru_utime + spent.ru_stime,
    },
    sys.stdout,
)
