"""Builds the project outside the source tree, runs its unit tests, and replaces one of its sources."""

import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field

LAYERS = ("mqtt_core", "iothub_client")
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
MODES = {"plain": "-O1", "asan": f"-O1 {SANITIZERS}", "coverage": "-O0 --coverage"}

# Treats warnings as errors, as every build of the project does, except for a warning that our own "|| 1" causes.
ERRORS = ["-Werror", "-Wno-parentheses"]
MEMORY = 4 << 30  # limit in bytes, so that a loop that allocates memory ends


@dataclass
class Test:
    name: str
    program: str
    link: list  # words of the command that links it, run in the folder of the build
    seconds: float = 0.0
    lines: dict = field(default_factory=dict)  # lines that it executes: path -> lines


def fail(text):
    raise SystemExit("mutate.sh: " + text)


def run(words, cwd, what):
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        fail(f"{what} failed:\n{done.stdout[-3000:]}")
    return done.stdout


class Build:
    def __init__(self, root, base, mode, jobs):
        self.root = root
        self.mode = mode
        self.folder = os.path.join(base, mode)
        self.make(jobs)
        self.tests = self.find_tests()
        self.compile = {}  # object -> words of its command
        # Source -> its objects: one of the library, and perhaps one that counts steps.
        self.objects = {}
        with open(os.path.join(self.folder, "compile_commands.json")) as f:
            for entry in json.load(f):
                words = shlex.split(entry["command"])
                made = words[words.index("-o") + 1]
                self.compile[made] = words
                self.objects.setdefault(os.path.relpath(entry["file"], root), []).append(made)

    def make(self, jobs):
        configure = ["cmake", "-G", "Ninja", "-S", self.root, "-B", self.folder]
        options = {
            "CMAKE_BUILD_TYPE": "Debug",  # builds with the valid checks
            "CMAKE_C_FLAGS_DEBUG": "",
            "CMAKE_C_COMPILER": "gcc",  # gcov belongs to gcc
            "CMAKE_C_FLAGS": MODES[self.mode],
            "CMAKE_C_COMPILER_LAUNCHER": "",
            "CMAKE_EXPORT_COMPILE_COMMANDS": "ON",
        }
        run(configure + [f"-D{k}={v}" for k, v in options.items()], self.root, "cmake")
        targets = [name for name, _ in self.listed()]
        run(["cmake", "--build", self.folder, "--", f"-j{jobs}"] + targets, self.root, f"the build {self.mode}")

    def listed(self):
        # Objects of the tests of how work grows.
        counted = "" if self.mode == "asan" else "(_counted)?"
        words = ["ctest", "--show-only=json-v1", "-L", f"^({'|'.join(LAYERS)}){counted}$"]
        tests = json.loads(run(words, self.folder, "ctest"))["tests"]
        return [(t["name"], t.get("command", [""])[0]) for t in tests]

    def find_tests(self):
        tests = []
        for name, program in self.listed():
            target = os.path.relpath(program, self.folder)
            command = run(["ninja", "-t", "commands", target], self.folder, "ninja").splitlines()[-1]
            words = shlex.split(command)
            tests.append(Test(name, target, words[words.index("&&") + 1 : -2]))
        return tests


class Change:
    """Sources that replace those of the same name; they are compiled and linked when a test needs them."""

    def __init__(self, build, copies, out):
        self.build = build
        self.copies = copies  # source -> the file that replaces it
        self.out = os.path.join(out, build.mode)
        self.made = {}
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)

    def compiled(self, obj, source):
        """Returns the object that replaces obj, or None if the compiler refuses it."""
        if obj not in self.made:
            to = os.path.join(self.out, obj.replace("/", "_"))
            words = self.with_own_headers(drop_dependencies(self.build.compile[obj]), source) + ERRORS
            words[words.index("-o") + 1] = to
            words[words.index("-c") + 1] = self.copies[source]
            done = subprocess.run(
                words, cwd=self.build.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            self.made[obj] = to if done.returncode == 0 else None
        return self.made[obj]

    def with_own_headers(self, words, source):
        """Makes private headers that are found through the src folder of a layer come from the copy, too."""
        folder = self.copies[source].removesuffix(source)
        layers = {f"-I{os.path.join(self.build.root, l)}/src": f"-I{os.path.join(folder, l)}/src" for l in LAYERS}
        return [layers.get(w, w) for w in words]

    def compiles(self):
        return all(self.compiled(self.build.objects[s][0], s) for s in self.copies)

    def linked(self, test):
        """Links the test with the other objects, instead of its own or before the library that contains
        them.
        """
        words = list(test.link)
        first = []
        for source in self.copies:
            own = [o for o in self.build.objects[source] if o in words]
            if own:
                words[words.index(own[0])] = self.compiled(own[0], source)
            else:
                first.append(self.compiled(library_object(self.build.objects[source]), source))
        at = words.index("-o")
        program = words[at + 1] = os.path.join(self.out, test.name)
        words[at:at] = first
        done = subprocess.run(words, cwd=self.build.folder, stderr=subprocess.DEVNULL)
        return program if done.returncode == 0 else None

    def kills(self, test):
        program = self.linked(test)
        if program is None:
            return False  # the object code is the same, so no test can fail
        ok = passes(program, self.build.mode, test.seconds, self.out)
        os.remove(program)
        return not ok


def library_object(objects):
    return next(o for o in objects if o.split("/", 1)[0] in LAYERS)


def drop_dependencies(words):
    out = []
    skip = False
    for w in words:
        if not skip and w not in ("-MD", "-MF", "-MT"):
            out.append(w)
        skip = w in ("-MF", "-MT")
    return out


# --- running a test ---------------------------------------------------------------------


def limit(mode, seconds):
    """Returns the processor time and the elapsed time that a test of this duration may take with a change."""
    cpu = int(5 + (40 if mode == "asan" else 10) * seconds)
    wall = 60 + 3 * cpu

    def apply():
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if mode != "asan":  # ASan reserves the whole address space, so it gets no limit
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    return apply, wall


def passes(program, mode, seconds, folder, env=None):
    apply, wall = limit(mode, seconds)
    place = os.path.join(folder, "tmp")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    process = subprocess.Popen(
        [program],
        cwd=place,
        env={**os.environ, "TMPDIR": place, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=apply,
        start_new_session=True,
    )
    try:
        return process.wait(wall) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def measured(build, folder):
    """Returns the tests that pass without any change, with the time that each takes."""
    good = []
    for t in build.tests:
        began = time.monotonic()
        if passes(os.path.join(build.folder, t.program), build.mode, 100, folder):
            t.seconds = time.monotonic() - began
            good.append(t)
        else:
            print(f"left out, because it fails without any change: {t.name}")
    build.tests = good


# --- what a test executes ------------------------------------------------------------------


def covered(build, test, folder):
    """Returns {path: {line: executed}} for the sources of the layers, by gcov."""
    data = os.path.join(folder, "gcov", test.name)
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data)
    env = {"GCOV_PREFIX": data}
    passes(os.path.join(build.folder, test.program), "coverage", 100, data, env)
    lines = {}
    for where, _, names in os.walk(data):
        for name in names:
            if name.endswith(".gcda") and re.search("|".join(LAYERS), where):
                for path, line, count in executed(build, os.path.join(where, name), data):
                    seen = lines.setdefault(path, {})
                    seen[line] = seen.get(line, 0) + count
    shutil.rmtree(data)
    return lines


def executed(build, gcda, data):
    notes = "/" + os.path.relpath(gcda, data)[: -len("da")] + "no"
    shutil.copy(notes, os.path.dirname(gcda))
    words = ["gcov", "--json-format", "--stdout", gcda]
    done = subprocess.run(words, cwd=build.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for text in done.stdout.decode().splitlines():
        for f in json.loads(text)["files"] if text.startswith("{") else []:
            path = os.path.relpath(os.path.join(build.folder, f["file"]), build.root)
            if path.split("/")[0] in LAYERS:
                for line in f["lines"]:
                    yield path, line["line_number"], line["count"]
