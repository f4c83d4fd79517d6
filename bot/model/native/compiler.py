"""C files, compiled for this very machine at their first use and kept for the next.

Without a compiler nothing fails: who asks is told so and takes torch's way. The kept file is named by all
that shapes it, in a folder that nobody else may write. It does not know what the files compute.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HEADERS = Path(__file__).parent
FAST_MATH = [  # all of it but its blindness to NaN
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
    "-freciprocal-math",
]
FLAGS = ["-std=gnu11", "-O3", "-march=native", "-fopenmp-simd", *FAST_MATH, "-shared", "-fPIC"]
SECONDS = 120  # a compiler that takes longer hangs


@cache
def compiler() -> str:
    """The C compiler's path, "" if there is none or BOT_NATIVE=off forbids it."""
    if os.environ.get("BOT_NATIVE") == "off":
        return ""
    return shutil.which(os.environ.get("CC", "cc")) or ""


def described() -> str:
    """In words for a person: with what is compiled, or what is missing and what it costs."""
    if not compiler():
        return "no C compiler (the package gcc): torch computes alone, half as fast"
    if load(HEADERS / "decoding.c") is None:
        return f"{compiler()} does not compile them: torch computes alone, half as fast"
    return f"compiled by {_version().splitlines()[0]}"


@cache
def digest(source: Path) -> str:
    """Names what a compiled file computes: its source, the compiler, its flags and the processor."""
    parts = [source.read_bytes(), *(path.read_bytes() for path in sorted(HEADERS.glob("*.h")))]
    parts += [" ".join(FLAGS).encode(), _version().encode(), _processor().encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@cache
def load(source: Path) -> ctypes.CDLL | None:
    """The compiled file, None without a compiler or where it does not compile."""
    if not compiler():
        return None
    try:
        path = _folder() / f"{source.stem}-{digest(source)}.so"
        if not path.exists():
            _compile(source, path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError, RuntimeError):  # also where there is no home folder
        return None


def _compile(source: Path, path: Path) -> None:
    """Under another name first: two processes may compile at once, and one may be killed."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".so") as unfinished:
        command = [compiler(), *FLAGS, f"-I{HEADERS}", str(source), "-o", unfinished.name, "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
        os.link(unfinished.name, unfinished.name + ".done")
        os.replace(unfinished.name + ".done", path)


def _folder() -> Path:
    """Where compiled files are kept; one of our own and closed to others, since it is run as code."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "wormhorn" / "native"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        msg = f"{folder}: others may write to it"
        raise PermissionError(msg)
    return folder


@cache
def _version() -> str:
    command = [compiler(), "--version"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout


@cache
def _processor() -> str:
    """What -march=native looks at: a home folder may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}))
