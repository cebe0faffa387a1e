"""Prints the results of a measurement, writes them to a file, and puts them into the README."""

import json
import sys


class Failure(Exception):
    pass


def add_options(parser, places):
    parser.add_argument("--json", metavar="FILE", help="all figures, of every round, to this file")
    parser.add_argument("--from", dest="source", metavar="FILE",
                        help="measure nothing: the figures are in this file, from --json")
    parser.add_argument("--update", action="store_true", help=f"put {places}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def conclude(name, arguments, measure, show, update):
    """Measures, or reads earlier results, and processes them as the options require."""
    try:
        results = read(arguments.source) if arguments.source else measure(arguments)
    except Failure as failure:
        sys.exit(f"{name}: {failure}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    if arguments.update:
        update(results)
    print(show(results))
