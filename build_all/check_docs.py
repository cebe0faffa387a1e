#!/usr/bin/env python3
"""Lists values of enumerations without a comment: the public items that Doxygen 1.9.4 does not warn about.

    check_docs.py build/docs/xml

Exits with 1 if there are any.
"""

import pathlib
import sys
import xml.etree.ElementTree as ET


def has_text(item):
    return any("".join(item.find(part).itertext()).strip() for part in ("briefdescription", "detaileddescription"))


def undocumented(xml):
    for enumeration in xml.iter("memberdef"):
        if enumeration.get("kind") != "enum":
            continue
        location = enumeration.find("location")
        for value in enumeration.iter("enumvalue"):
            if not has_text(value):
                yield location.get("file"), location.get("line"), value.findtext("name")


def main(folder):
    found = set()
    for file in sorted(pathlib.Path(folder).glob("*.xml")):
        found.update(undocumented(ET.parse(file).getroot()))
    for file, line, name in sorted(found):
        print(f"{file}:{line}: the value {name} of this enumeration is not documented", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
