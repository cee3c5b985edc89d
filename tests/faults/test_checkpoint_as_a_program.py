"""`dirigent checkpoint` and `dirigent doctor --checkpoint` as an operator calls them, on the folder of a system that is stopped."""

import asyncio
import json
import sys
from pathlib import Path

from dirigent.databases import SERVICES
from dirigent.supervisor.system import Options, running


async def dirigent(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dirigent", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_checkpoint_is_written_once_and_doctor_holds_the_feeds_to_it(fresh: Path, tmp_path: Path) -> None:
    folder, file = str(fresh), tmp_path / "checkpoint.json"
    async with running(Options(data=fresh, port=0, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)):
        pass
    code, out, err = await dirigent("checkpoint", "--data", folder, "--out", str(file))
    assert (code, out, err) == (0, "", f"wrote {file}\n")
    taken = json.loads(file.read_text())
    assert taken["format"] == "dirigent-checkpoint/1"
    assert {"planning", "billing", "notifications"} <= taken["services"].keys()
    code, _, err = await dirigent("checkpoint", "--data", folder, "--out", str(file))
    assert (code, err) == (1, f"dirigent: {file} exists already; a checkpoint is never written over\n")

    code, out, err = await dirigent("doctor", "--data", folder, "--checkpoint", str(file), "--json")
    assert (code, err) == (0, "")
    assert [(finding["service"], finding["faults"]) for finding in json.loads(out)] == [(service, []) for service in SERVICES]
    longer = {"feed": "facts", "position": 10**6, "hash": "0" * 64}
    taken["services"]["planning"]["feeds"] = [longer]
    (tmp_path / "other.json").write_text(json.dumps(taken))
    code, out, _ = await dirigent("doctor", "--data", folder, "--checkpoint", str(tmp_path / "other.json"))
    assert code == 1
    assert f"ends here, but reached 1000000 at the checkpoint of {taken['at']}" in out


async def test_a_folder_in_which_nothing_has_run_and_a_file_that_is_none_are_told_in_one_line(tmp_path: Path) -> None:
    code, _, err = await dirigent("checkpoint", "--data", str(tmp_path))
    assert (code, err) == (1, f"dirigent: nothing has run in {tmp_path} yet\n")
    code, _, err = await dirigent("doctor", "--data", str(tmp_path), "--checkpoint", str(tmp_path / "none.json"))
    assert (code, err) == (1, f"dirigent: {tmp_path / 'none.json'} cannot be read: No such file or directory\n")
