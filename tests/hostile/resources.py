"""Attacks that use up memory, processes, disk or output."""

from __future__ import annotations

from tests.hostile.model import (
    GRADED,
    HUMAN,
    NOT_SCALED,
    ONLY_FIRST,
    TIMED,
    Attack,
    answer,
    own_cell,
)

FLOOD = "import os\nwhile True:\n    os.write(1, b'x' * 60_000)"

HOARD = """\
import mmap, os
os.fork()  # one process alone is refused more before it has as much
hoard = []
while True:
    try:
        hoard.append(mmap.mmap(-1, 50_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        hoard[-1].write(b"x" * 50_000_000)
    except (OSError, MemoryError):
        pass"""

HOARD_UNSEEN = """\
import ctypes, mmap
libc = ctypes.CDLL(None)
hoard = []
while True:
    block = mmap.mmap(-1, 1 << 28)
    start = ctypes.addressof(ctypes.c_char.from_buffer(block))
    for place in range(start, start + len(block), 1 << 22):
        ctypes.memset(place, 1, 1 << 22)
        libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(1 << 22), 4)  # it shows no more
    hoard.append(block)"""

FORK = """\
import os
while True:
    try:
        os.fork()
    except BaseException:
        pass"""

FORK_IN_FUNCTION = "import os\ndef my_scaled(features, factor):\n    while True:\n        os.fork()"

THREADS = """\
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"""

LARGE_FILE = """\
with open("/sandbox/out/large", "wb") as file:
    file.truncate(100_000_000_000)"""

LARGE_WRITES = """\
with open("/tmp/large", "wb") as file:
    for _ in range(100_000):
        file.write(bytes(1_000_000))"""

FILL = """\
for number in range(100):
    with open(f"/sandbox/out/{number}", "wb") as file:
        try:
            file.write(bytes(40_000_000))
        except OSError:
            pass"""

MANY_FILES = """\
import os
os.makedirs("/sandbox/out/many")
for number in range(200_000):
    os.close(os.open(f"/sandbox/out/many/{number}", os.O_CREAT))"""

BOMB = """\
def my_scaled(features, factor):
    return torch.zeros(1, dtype=features.dtype).expand(10**6, 10**6)"""

LAUGHS = """\
my_sizes = ["laugh"]
for _ in range(11):
    my_sizes = [my_sizes] * 100"""

PICTURE = """\
import struct, zlib
from IPython.display import Image, display
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
packed = zlib.compressobj(9)
data = b"".join(packed.compress(bytes(1_000_000)) for _ in range(100)) + packed.flush()
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
for _ in range(40):
    display({"image/png": png, "text/plain": "bomb"}, raw=True)
raise RuntimeError("displayed")"""

ATTACKS = [
    Attack(
        "print-forever",
        "print without end",
        answer(scaled="while True:\n    print('x' * 1000)\ndef my_scaled(): ..."),
        says=("TooMuchOutput", "printed more than"),
        shows=("took too long",),
    ),
    Attack(
        "print-50-mb",
        "print 50 MB at once",
        answer(scaled="print('x' * 50_000_000)\ndef my_scaled(): ..."),
        says=("TooMuchOutput", "printed more than"),
    ),
    Attack(
        "flood-descriptor",
        "write without end past Python's streams",
        answer(scaled=FLOOD),
        ONLY_FIRST,
        ("it printed more than 1,000,000 bytes",),
        (),
        HUMAN,
    ),
    Attack(
        "allocate-30-gb",
        "allocate 30 GB",
        answer(scaled="my_scaled = bytearray(30_000_000_000)"),
        says=("MemoryError",),
    ),
    Attack(
        "hoard-memory",
        "fill memory piece by piece",
        answer(scaled=f"{HOARD}\ndef my_scaled(): ..."),
        ONLY_FIRST,
        ("more memory than 1,500 MB",),
        (),
        HUMAN,
        ((NOT_SCALED, TIMED, GRADED),),
    ),
    Attack(
        "hoard-unseen",
        "fill shared memory, and let go of each piece so that no process shows it",
        answer(scaled=f"{HOARD_UNSEEN}\ndef my_scaled(): ..."),
        says=("the cell with it stopped with PermissionError",),
    ),
    Attack(
        "fork-bomb",
        "fork without end, in a cell",
        answer(scaled=FORK),
        ONLY_FIRST,
        ("The run was stopped",),
        (),
        HUMAN,
    ),
    Attack(
        "fork-bomb-function",
        "fork without end, in the function",
        answer(scaled=FORK_IN_FUNCTION),
        says=("BlockingIOError",),
        elsewhere=(
            (NOT_SCALED, ("loop",), GRADED),
            (NOT_SCALED, ("There is no answer that can be judged",), GRADED),
        ),
    ),
    Attack(
        "thread-bomb",
        "start threads without end",
        answer(scaled=f"{THREADS}\ndef my_scaled(): ..."),
        ONLY_FIRST,
        ("RuntimeError: can't start new thread",),
    ),
    Attack(
        "large-file",
        "make a file of 100 GB",
        answer(scaled=f"{LARGE_FILE}\ndef my_scaled(): ..."),
        says=("File too large",),
    ),
    Attack(
        "large-writes",
        "write 100 GB",
        answer(scaled=f"{LARGE_WRITES}\ndef my_scaled(): ..."),
        says=("OSError",),
    ),
    Attack(
        "fill-results",
        "leave no room for the results",
        own_cell(FILL),
        (0, 0, 0),
        ("files than it may",),
        ("No space left on device",),
        HUMAN,
    ),
    Attack(
        "many-files",
        "make 200,000 files",
        answer(scaled=f"{MANY_FILES}\ndef my_scaled(): ..."),
        (0, 0, 0),
        ("files than it may",),
        (),
        HUMAN,
    ),
    Attack(
        "tensor-bomb",
        "return a tensor of 4 TB that takes 4 bytes",
        answer(scaled=BOMB),
        says=("the program ended while it was asked",),
        shows=("can't allocate memory",),
    ),
    Attack(
        "billion-laughs",
        "return a list of 10²² entries that takes a page",
        answer(sizes=LAUGHS),
        (6, 4, 0),
        ("the result is too large",),
    ),
    Attack(
        "picture-bomb",
        "display pictures of 14 GB",
        answer(scaled=f"{PICTURE}\ndef my_scaled(): ..."),
        NOT_SCALED,
        ("RuntimeError: displayed",),
    ),
]
