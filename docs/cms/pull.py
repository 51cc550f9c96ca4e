"""Keep a folder the same as a consent-gate feed: python3 pull.py https://gate/feeds/website DIR

The token is read from CONSENT_GATE_TOKEN. Run it every minute or so. Needs only Python 3.11.
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def ask(url: str, data: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {os.environ['CONSENT_GATE_TOKEN']}"}
    with urlopen(Request(url, data, headers), timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def refuse_foreign(name: str) -> None:
    """End unless the name is that of a picture in a folder of the feed's folder."""
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*\.jpg", name):
        sys.exit(f"The feed names a file that is no picture of a channel: {name!r}")


def pull(feed: str, folder: Path) -> None:
    manifest = json.loads(ask(f"{feed}/manifest.json"))
    listed = {item["file"]: item for item in manifest["items"]}
    for name in listed:
        refuse_foreign(name)
    for path in folder.glob("*/*.jpg"):  # take down first
        if path.relative_to(folder).as_posix() not in listed:
            path.unlink()
    done = folder / "confirmed.txt"
    confirmed = set(done.read_text().split()) if done.exists() else set()
    for gone in manifest["withdrawn"]:
        if gone["id"] not in confirmed:
            ask(f"{feed}/withdrawn/{gone['id']}/confirm", b"")
            confirmed.add(gone["id"])
    folder.mkdir(parents=True, exist_ok=True)
    done.write_text("\n".join(sorted(confirmed)))
    for name, item in listed.items():
        path = folder / name
        if not path.exists():
            data = ask(f"{feed}/{name}")
            if hashlib.sha256(data).hexdigest() == item["sha256"]:
                path.parent.mkdir(exist_ok=True)
                path.with_suffix(".part").write_bytes(data)
                path.with_suffix(".part").replace(path)
    (folder / "pictures.json").write_text(json.dumps(manifest["items"]))


if __name__ == "__main__":
    pull(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
