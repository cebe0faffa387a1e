#!/usr/bin/env python3
"""Prints how much code a program for a Cortex-M4 links, for each set of features in tests/sizes, and checks the
limits below: at most what they were when they were measured last, plus 3 %. Exits with 77 without the compiler.

    ./build_all/sizes.py [--objects] [--no-texts]

Compiles mqtt_core and iothub_client by arm-none-eabi-gcc at -Os, and links the programs with --gc-sections. Counted
are code and constants from the two libraries, but not those of the program, the C library, or the platform.
--objects prints the size of each object as well. --no-texts leaves out the texts (IOTHUB_TEXTS=OFF).
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPILER = "arm-none-eabi-gcc"
MACHINE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "--specs=nano.specs"]
# The map gives no sizes of merged strings. Without merging, a text that occurs twice is counted twice (1.5 % in all).
FLAGS = ["-std=c99", "-Os", "-DNDEBUG", "-ffunction-sections", "-fdata-sections", "-fno-merge-constants"]
LINK = ["--specs=nosys.specs", "-Wl,--gc-sections", "-Wl,--no-warnings"]
SKIPPED = 77  # ctest reports a test with this exit code as skipped
LIBRARIES = ("mqtt_core", "iothub_client")
# Of each program: sources besides its own, and two pairs of sizes with and without texts: limit and goal.
PROGRAMS = {
    "mqtt_publisher": (["mqtt.c"], (11750, 11750), (6000, 6000)),
    "mqtt_everything": (["mqtt.c"], (13860, 13860), (9500, 9500)),
    "device_telemetry": ([], (69380, 60140), (16000, 16000)),
    "device_whole": ([], (73370, 63870), (26000, 20000)),
}
# A section from an archive in the linker's map, with its size and the object.
PLACED = re.compile(
    r"^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+\S*lib(?:mqtt_core|iothub_client)\.a\((\S+)\.o\)$",
    re.M)


def compile_source(source, folder, extra):
    """Compiles a source of the tree. Returns its library (or "tests") and the object."""
    part = source.split("/")[0]
    target = os.path.join(folder, source.replace("/", "+")[:-2] + ".o")
    includes = ["mqtt_core/include", "platform/include", "iothub_client/include", f"{part}/src"]
    subprocess.run([COMPILER, *MACHINE, *FLAGS, *extra, *(f"-I{ROOT}/{i}" for i in includes), "-c",
                    os.path.join(ROOT, source), "-o", target], check=True)
    return part, target


def library_sources(library):
    """Returns the sources of a library. iothub_upload is a library of its own and needs libcurl."""
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, library, "src")):
        if os.path.basename(folder) != "upload":
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names if n.endswith(".c")]
    return sorted(found)


def linked(program, sources, objects, folder):
    """Links a program. Returns the number of bytes from each object of the libraries."""
    map_file = os.path.join(folder, program + ".map")
    own = [objects[f"tests/sizes/{s}"] for s in [program + ".c", "network.c", *sources]]
    archives = [os.path.join(folder, f"lib{library}.a") for library in reversed(LIBRARIES)]
    subprocess.run([COMPILER, *MACHINE, *LINK, *own, *archives, f"-Wl,-Map={map_file}",
                    "-o", os.path.join(folder, program + ".elf")], check=True)
    with open(map_file, encoding="utf-8") as f:
        text = f.read()
    # What precedes this title lists sections that were discarded. A long name of a section has a line of its own.
    text = re.sub(r"^ (\.\S+)\n {16}", r" \1 ", text[text.index("Linker script and memory map"):], flags=re.M)
    sizes = {}
    for size, name in PLACED.findall(text):
        sizes[name] = sizes.get(name, 0) + int(size, 16)
    return sizes


def build(folder, extra):
    """Compiles everything. Returns the objects of the programs by source."""
    tests = [f"tests/sizes/{n}" for n in os.listdir(os.path.join(ROOT, "tests/sizes")) if n.endswith(".c")]
    sources = [s for library in LIBRARIES for s in library_sources(library)] + tests
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda s: compile_source(s, folder, extra), sources))
    for library in LIBRARIES:
        subprocess.run(["arm-none-eabi-ar", "rcs", os.path.join(folder, f"lib{library}.a"),
                        *(target for part, target in done if part == library)], check=True)
    return {source: target for source, (_, target) in zip(sources, done)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", action="store_true")
    parser.add_argument("--no-texts", action="store_true")
    args = parser.parse_args()
    if shutil.which(COMPILER) is None:
        print(f"skipped: there is no {COMPILER} (Debian's gcc-arm-none-eabi and libnewlib-arm-none-eabi)")
        return SKIPPED
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        objects = build(folder, ["-DIOTHUB_NO_TEXTS"] if args.no_texts else [])
        print(f"{'program':<20}{'bytes':>8}{'limit':>8}{'goal':>8}")
        for program, (sources, limits, goals) in PROGRAMS.items():
            sizes = linked(program, sources, objects, folder)
            total = sum(sizes.values())
            limit = limits[args.no_texts]
            failed |= total > limit or total == 0
            print(f"{program:<20}{total:>8}{limit:>8}{goals[args.no_texts]:>8}")
            for name, size in sorted(sizes.items(), key=lambda item: -item[1]) if args.objects else []:
                print(f"    {name.split('+', 2)[-1]:<36}{size:>6}")
    if failed:
        print("A program is larger than its limit.", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
