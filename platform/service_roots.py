#!/usr/bin/env python3
"""Make C code of the root certificates in a table. Fails if a certificate is missing or is not the one
that the table names.

    service_roots.py TABLE FOLDER OUTPUT

TABLE is service_roots.txt. FOLDER has the certificates as PEM. OUTPUT is written only if everything is
correct.
"""
import base64
import hashlib
import re
import sys

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)
BYTES_IN_LINE = 16


def rows(table):
    """Returns (SHA-256, file, name) of each line of the table."""
    with open(table, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                sha256, file, name = line.strip().split(" ", 2)
                yield sha256, file, name


def der_of(path):
    """Returns the DER of the only certificate in a PEM file."""
    try:
        with open(path, encoding="ascii") as file:
            found = PEM.findall(file.read())
    except OSError as error:
        sys.exit(f"service_roots.py: {path}: {error.strerror}; install the package ca-certificates, "
                 "or build with -DIOTHUB_COMPILED_IN_ROOTS=OFF")
    if len(found) != 1:
        sys.exit(f"service_roots.py: {path}: {len(found)} certificates, not one")
    return base64.b64decode(found[0])


def as_array(name, der):
    lines = [", ".join(f"0x{byte:02x}" for byte in der[at:at + BYTES_IN_LINE])
             for at in range(0, len(der), BYTES_IN_LINE)]
    return f"static const uint8_t {name}[] = {{\n    " + ",\n    ".join(lines) + ",\n};\n"


def main():
    table, folder, output = sys.argv[1:]
    arrays, entries = [], []
    for number, (sha256, file, name) in enumerate(rows(table)):
        der = der_of(f"{folder}/{file}")
        found = hashlib.sha256(der).hexdigest()
        if found != sha256:
            sys.exit(f"service_roots.py: {folder}/{file}: the fingerprint is {found}, and must be {sha256}")
        arrays.append(as_array(f"root_{number}", der))
        entries.append(f'    {{ "{name}", root_{number}, sizeof root_{number} }},\n')
    text = ("/* Made by service_roots.py. */\n#include \"wolfssl/x509/service_roots.h\"\n\n" + "\n".join(arrays) +
            "\nconst plat_service_root plat_service_roots[] = {\n" + "".join(entries) + "};\n"
            "const size_t plat_service_root_count = sizeof plat_service_roots / sizeof plat_service_roots[0];\n")
    with open(output, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main()
