"""Two writers on one ``s3://`` study, again and again: is anything lost?

    python benchmarks/races.py [--races 20]

The object store is a stand-in in a process of its own; the writers are processes that make up
trials (no Ray, no training) and leave them as a submit does. Some are killed in the middle. After
each race everything that a writer saw published is looked for, whole.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from agnews_ray.errors import AgnewsError  # noqa: E402
from agnews_ray.record.object_store import leaving_files, open_store  # noqa: E402
from agnews_ray.record.storage import Storage  # noqa: E402
from tests.fakes.records import a_record  # noqa: E402

RUNS = "s3://bucket/runs"
NUM_TRIALS = 4
LIMIT_S = 30.0


def main() -> int:
    """Run the races, or be one writer of one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--races", type=int, default=20)
    parser.add_argument("--writer", nargs=3, metavar=("STUDY", "SEED", "FOLDER"))
    options = parser.parse_args()
    if options.writer:
        study, seed, folder = options.writer
        write(study, int(seed), Path(folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="agnews-ray-races-") as folder:
        server, address = start_server(Path(folder))
        os.environ |= surroundings(address)
        try:
            return run_races(options.races, Path(folder))
        finally:
            server.terminate()
            server.wait()


def run_races(num_races: int, folder: Path) -> int:
    """Run them one after the other; give the exit code."""
    print(f"{'race':>4}  {'killed':>6}  {'in':>3}  {'refused':>7}  {'published':>9}  found")
    num_bad = num_published = num_killed = 0
    for race in range(num_races):
        told, killed, result = run_race(race, folder)
        problems = look(f"race{race}", told)
        counts = [sum(one[0] == kind for one in told) for kind in ("in", "refused", "published")]
        num_bad += len(problems)
        num_published += counts[2]
        num_killed += killed
        problems += result
        num_bad += len(result)
        print(f"{race:4}  {killed:6}  {counts[0]:3}  {counts[1]:7}  {counts[2]:9}  ", end="")
        print("; ".join(problems) or "all whole", flush=True)
    if num_bad == 0 and num_published == 0:
        print("no trial was published: nothing was shown")
        return 1
    lost = "nothing lost" if num_bad == 0 else f"{num_bad} fault(s)"
    print(f"{num_races} races, {num_killed} writers killed, {num_published} published: {lost}")
    return 1 if num_bad else 0


def run_race(race: int, folder: Path) -> tuple[list[tuple[str, float, str]], int, list[str]]:
    """Start two writers nearly at once, kill one in every third race, and wait for both."""
    chance = random.Random(race)
    writers = []
    for number in range(2):
        place = folder / f"{race}-{number}"
        place.mkdir()
        words = [sys.executable, __file__, "--writer", f"race{race}", str(2 * race + number)]
        writers.append(subprocess.Popen([*words, str(place)]))
    killed = 0
    if race % 3 == 2:
        victim = chance.randrange(2)
        wait_for(folder / f"{race}-{victim}" / "ready")
        time.sleep(chance.uniform(0.3, 1.5))
        killed = int(writers[victim].poll() is None)
        writers[victim].send_signal(signal.SIGKILL)
    problems = []
    for writer in writers:
        code = writer.wait(timeout=3 * LIMIT_S)
        if code not in (0, -signal.SIGKILL):
            problems.append(f"a writer ended with {code}")
    told = [
        tuple(json.loads(line))
        for number in range(2)
        for line in (folder / f"{race}-{number}" / "told").read_text().splitlines()
    ]
    return told, killed, problems


def look(study: str, told: list[tuple[str, float, str]]) -> list[str]:
    """Hold what lies in the store against what the writers said."""
    problems = [what for kind, _, what in told if kind == "fault"]
    spans = [json.loads(what) for kind, _, what in told if kind == "inside"]
    spans.sort()
    if any(second[0] < first[1] for first, second in pairwise(spans)):
        problems.append("two inside at once")
    whole, torn = read_trials(Storage(f"{RUNS}/{study}"))
    problems += torn
    for kind, _, what in told:
        if kind == "published":
            trial_id, command = what.split()
            if trial_id not in whole:
                problems.append(f"{trial_id} is lost")
            elif whole[trial_id] != command:
                problems.append(f"{trial_id} was written over")
    return sorted(set(problems))


def read_trials(remote: Storage) -> tuple[dict[str, str], list[str]]:
    """Give what each published trial is made of, and what is wrong with some."""
    whole, problems = {}, []
    for name in remote.sizes():
        folder, _, file = name.rpartition("/")
        if not folder.startswith("trials/") or file != "record.json":
            continue
        record = json.loads(remote.read(name))
        try:
            payload = remote.read(f"{folder}/artifact/weights")
            remote.read(f"{folder}/predictions.parquet")
        except AgnewsError:
            problems.append(f"{record['trial_id']} is half there")
            continue
        if record["command"] != digest(payload):
            problems.append(f"{record['trial_id']} is a mixture")
        whole[record["trial_id"]] = record["command"]
    return whole, problems


def write(study: str, seed: int, folder: Path) -> None:
    """Be one writer: try to get in until the other is done, then finish what it did not."""
    chance = random.Random(seed)
    told = (folder / "told").open("a", buffering=1)

    def tell(kind: str, what: str) -> None:
        told.write(json.dumps([kind, time.time(), what]) + "\n")

    store = open_store(RUNS, study, folder / "copy")
    (folder / "ready").touch()
    end = time.time() + LIMIT_S
    while time.time() < end:
        time.sleep(chance.uniform(0, 0.3))
        try:
            with store.writing():
                began = time.time()
                tell("in", "")
                finish_all(store, folder, chance, tell)
                tell("inside", json.dumps([began, time.time()]))
                return
        except AgnewsError as error:
            if "one is running" not in str(error):
                tell("fault", str(error))
                return
            tell("refused", "")


def finish_all(store, folder, chance, tell) -> None:  # noqa: ANN001
    """Do what a submit does with the trials that have no record yet."""
    done = {record.trial_id for record in store.records()}
    for number in range(NUM_TRIALS):
        trial_id = f"one-s{number}"
        if trial_id in done:
            continue
        staged = store.staging_folder(trial_id)
        payload = os.urandom(chance.randrange(1000, 200_000))
        with leaving_files(staged, folder / f"scratch-{trial_id}") as here:
            (here / "artifact").mkdir()
            (here / "artifact" / "weights").write_bytes(payload)
            (here / "predictions.parquet").write_bytes(payload)
        time.sleep(chance.uniform(0, 0.2))
        if "predictions.parquet" not in Storage(staged).sizes():
            tell("fault", f"staging of {trial_id} was touched while its writer lived")
        store.publish(a_record(trial_id, seed=number, command=digest(payload)), staged)
        tell("published", f"{trial_id} {digest(payload)}")
        time.sleep(chance.uniform(0, 0.1))


def digest(payload: bytes) -> str:
    """Name a trial's content; its record holds the name."""
    return hashlib.sha256(payload).hexdigest()


def start_server(folder: Path) -> tuple[subprocess.Popen, str]:
    """Start the stand-in (moto), and make its bucket."""
    code = (
        "import logging, sys, time, pathlib\n"
        "from moto.server import ThreadedMotoServer\n"
        "logging.getLogger('werkzeug').setLevel(logging.ERROR)\n"
        "server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)\n"
        "server.start()\n"
        "partial = pathlib.Path(sys.argv[1] + '.partial')\n"
        "partial.write_text('http://%s:%s' % server.get_host_and_port())\n"
        "partial.rename(sys.argv[1])\n"
        "time.sleep(3600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(folder / "address")])
    wait_for(folder / "address")
    address = (folder / "address").read_text()
    request = urllib.request.Request(f"{address}/bucket", method="PUT")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310
    return server, address


def wait_for(path: Path) -> None:
    """Wait for a file."""
    end = time.time() + LIMIT_S
    while not path.exists():
        if time.time() > end:
            raise TimeoutError(path)
        time.sleep(0.02)


def surroundings(address: str) -> dict[str, str]:
    """What makes pyarrow talk to the stand-in."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {
        **dict.fromkeys(names, "made-up"),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


if __name__ == "__main__":
    sys.exit(main())
