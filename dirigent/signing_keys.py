"""The keys that sign access tokens: `python -m dirigent.signing_keys PRIVATE PUBLIC` makes the files that are missing.

A program of its own, so that the supervisor does not carry a cryptography library for the rest of its life.
"""

import json
import sys
from pathlib import Path

from joserfc.jwk import ECKey, KeySet

from dirigent.secrets_store import write_private


def make_missing(private_file: Path, public_file: Path) -> None:
    """Make an ES256 key pair unless there is one; the public file is always written anew from the private one."""
    if not private_file.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
        key.ensure_kid()
        write_private(private_file, json.dumps(KeySet([key]).as_dict(private=True), indent=1))
    keys = KeySet.import_key_set(json.loads(private_file.read_bytes()))
    write_private(public_file, json.dumps(keys.as_dict(private=False), indent=1))


if __name__ == "__main__":
    make_missing(Path(sys.argv[1]), Path(sys.argv[2]))
