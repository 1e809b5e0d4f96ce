"""Use case: check whether a study can run, here or on a cluster, before it costs money."""

import json
import secrets
import shlex
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agnews_ray.app.capacity import gpu_memory_line
from agnews_ray.app.cluster_jobs import check_storage
from agnews_ray.app.teachers import models_beside
from agnews_ray.cluster import event_kinds as kinds
from agnews_ray.cluster.checks import Check, failed, passed, warned
from agnews_ray.cluster.jobs_client import ADDRESS_HINT, PROBE_KEY, JobsClient
from agnews_ray.cluster.node_facts import ClusterFacts, NodeFacts, node_facts
from agnews_ray.cluster.package import pack, runtime_environment
from agnews_ray.errors import OFFLINE_WAYS, AgnewsError, ClusterError, StoreError
from agnews_ray.model import zoo
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.storage import Storage, is_uri, without_secrets
from agnews_ray.run.cleanup import name_prefix
from agnews_ray.spec.linear_models import is_linear, weights_name
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec

MIN_DATA_CPUS = 1
"""The processors for the data stream, beside one for each worker, without which tokenising is slow.
``run.session.NUM_DATA_CPUS`` counts logical CPUs of Ray, of which it may have more."""
BYTES_PER_PARAMETER = 16
"""The bytes of a parameter in training: weight, gradient and AdamW's two moments, in float32."""
BASE_BYTES = 2 << 30
"""The bytes of a worker without a model: torch, transformers, activations of small batches."""
UNKNOWN_PARAMETERS = 110_000_000
"""The number of parameters assumed for models that are not known here: that of BERT base."""
PROBE_TIMEOUT_S = 180.0
LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def examine_here(study: StudySpec, location: str) -> list[Check]:
    """Examine this machine.

    Args:
        study: the study to run.
        location: the runs folder, or a URI.

    Returns:
        The findings.
    """
    facts = node_facts(location, _hub_ids(study))
    return [*_examine(facts, study, ""), _writable(location), _cpus(study, facts["num_cpus"])]


def examine_cluster(study: StudySpec, address: str, storage: str | None) -> list[Check]:
    """Examine a cluster, with a job that checks each of its nodes.

    Args:
        study: the study to run.
        address: the address of its dashboard.
        storage: a folder or URI; None for the cluster's own.

    Returns:
        The findings; one of them may be that the cluster cannot be reached.
    """
    try:
        check_storage(storage)
        client = JobsClient(address)
        checks = [passed("dashboard", f"answers at {client.address}"), _upload(study)]
        facts = _probe(client, study, storage)
        is_asked = all(node["has_token"] for node in facts["nodes"].values())
        checks.append(_token(client.address, is_asked))
    except AgnewsError as error:
        hint = getattr(error, "hint", ADDRESS_HINT)
        return [failed("cluster", f"{error.where}: {error.found}", hint)]
    return [*checks, *_examine_cluster(facts, study)]


def _examine_cluster(facts: ClusterFacts, study: StudySpec) -> Iterator[Check]:
    yield _shared(facts)
    now, later = facts["num_gpus"], facts["later_gpus"]
    wanted = study.scaling.num_workers
    if study.scaling.device == "cpu" or (study.scaling.device == "auto" and not max(now, later)):
        yield passed("GPUs of the cluster", "none; trials run on CPUs")
    elif max(now, later) < wanted:
        hint = f"use --num-workers {max(now, later) or 1}, --device cpu, or other machines"
        yield failed("GPUs of the cluster", f"{max(now, later)}, but a trial needs {wanted}", hint)
    else:
        coming = f", up to {later} with the autoscaler" if later > now else ""
        yield passed("GPUs of the cluster", f"{now:g}{coming}")
    yield _cpus(study, int(facts["num_cpus"]))
    for name, node in facts["nodes"].items():
        yield from _examine(node, study, f"{name}: ")


def _examine(facts: NodeFacts, study: StudySpec, prefix: str) -> Iterator[Check]:
    """Compare one machine's facts with this machine's and with the study's needs."""
    yield _python(facts, prefix)
    yield _packages(facts, prefix)
    yield _gpus(facts, prefix)
    is_tuned = any(not is_linear(one.model) for one in study.models)
    if facts["gpu_memory"] and study.scaling.device != "cpu" and is_tuned:
        yield _gpu_memory(facts["gpu_memory"], study, prefix)
    need = max(_parameters(one) for one in study.models) * BYTES_PER_PARAMETER + BASE_BYTES
    yield _enough(
        f"{prefix}memory", facts["memory_free"], need, "use fewer workers, or more memory"
    )
    artifacts = sum(_parameters(one) for one in study.models) * 4 * len(study.seeds)
    hint = "use fewer seeds, or another disk"
    yield _enough(f"{prefix}disk", facts["disk_free"], artifacts + (1 << 30), hint)
    hub = facts["hub"]
    if hub.startswith("missing"):
        hint = f"{OFFLINE_WAYS}, or pass folders"
        yield failed(f"{prefix}hub", f"does not answer, and the cache is {hub}", hint)
    else:
        yield passed(f"{prefix}hub", hub)


def _python(facts: NodeFacts, prefix: str) -> Check:
    here, there = describe_environment().python, facts["python"]
    if here.split(".")[:2] != there.split(".")[:2]:
        hint = "use an image with this Python, or run from that Python"
        return failed(f"{prefix}Python", f"{there} there, {here} here", hint)
    return passed(f"{prefix}Python", there)


def _packages(facts: NodeFacts, prefix: str) -> Check:
    here, there = describe_environment().versions, facts["versions"]
    missing = [n for n in here if n not in there and n != "agnews-ray"]  # which is sent there
    names = ("ray", "torch", "transformers")
    other = [
        f"{n} {there[n]} there, {here[n]} here"
        for n in names
        if n in there and there[n].partition("+")[0] != here[n].partition("+")[0]
    ]
    hint = "install requirements.lock on both ends"
    if missing:
        return failed(f"{prefix}packages", f"missing {', '.join(missing)}", hint)
    if any(text.startswith("ray ") for text in other):
        return failed(f"{prefix}packages", "; ".join(other), hint)
    if other:
        return warned(f"{prefix}packages", "; ".join(other), hint)
    return passed(f"{prefix}packages", ", ".join(f"{n} {there[n]}" for n in names))


def _gpus(facts: NodeFacts, prefix: str) -> Check:
    """Check that driver, torch and Ray see the same GPUs."""
    name, seen = f"{prefix}GPU", facts["num_gpus"]
    torch = facts["torch"]
    if not seen or torch is None:  # torch is asked only if there are GPUs
        return passed(name, "none")
    if torch["trouble"]:
        return failed(name, torch["trouble"], torch["hint"])
    if torch["num_gpus"] != seen:
        found = f"{seen} by the driver ({facts['driver']}), {torch['num_gpus']} by torch"
        return warned(name, found, "check CUDA_VISIBLE_DEVICES")
    by_ray = facts.get("ray_gpus", seen)
    if by_ray != seen:
        hint = "start Ray there with --num-gpus, or check CUDA_VISIBLE_DEVICES"
        return warned(name, f"{seen} by the driver, {by_ray:g} by Ray", hint)
    return passed(name, f"{seen} x {facts['gpu']}, driver {facts['driver']}, CUDA {torch['cuda']}")


def _gpu_memory(there: int, study: StudySpec, prefix: str) -> Check:
    """Check whether the longest batches fit, with steps recorded as CUDA graphs and without."""
    found, fits = gpu_memory_line(study, there)
    if fits == "recorded":
        return passed(f"{prefix}GPU memory", found)
    hint = "lower recipe.global_batch_size or data.max_length_tokens"
    if fits == "unrecorded":
        hint = f"steps will run unrecorded, more slowly; {hint} for more speed"
    return warned(f"{prefix}GPU memory", found, hint)


def _enough(name: str, free: int, need: int, hint: str) -> Check:
    found = f"{free / 2**30:.1f} GiB free, about {need / 2**30:.1f} wanted"
    return passed(name, found) if free >= need else warned(name, found, hint)


def _cpus(study: StudySpec, there: int) -> Check:
    wanted = study.scaling.num_workers + MIN_DATA_CPUS
    found = f"{there}, {wanted} wanted (a worker each, {MIN_DATA_CPUS} for the data stream)"
    if there >= wanted:
        return passed("CPUs", found)
    return warned("CPUs", found, "it will work, but tokenising will be slow")


def _writable(location: str) -> Check:
    token = f".probe-{secrets.token_hex(4)}"
    try:
        if is_uri(location):
            storage = Storage(location)
            storage.write(f"{token}/file", b"1")
            storage.delete(token)
        else:
            folder = Path(location).absolute()
            while not folder.exists():
                folder = folder.parent
            with tempfile.TemporaryFile(dir=folder):
                pass
    except (OSError, StoreError) as error:
        found = getattr(error, "found", None) or getattr(error, "strerror", None) or str(error)
        return failed("storage", f"{without_secrets(location)}: {found}", "choose another")
    return passed("storage", f"{without_secrets(location)} can be written")


def _shared(facts: ClusterFacts) -> Check:
    if facts["storage_error"]:
        return failed("storage", facts["storage_error"], "see --storage in `submit --help`")
    return passed("storage", f"{facts['storage']}: written and seen from every node")


def _token(address: str, is_asked: bool) -> Check:
    if is_asked:
        return passed("token", "required, and accepted")
    if address.startswith(LOOPBACK):
        hint = "use RAY_AUTH_MODE=token at `ray start`; now every local account can use it"
        return warned("token", "the cluster requires none", hint)
    hint = "start it with RAY_AUTH_MODE=token: anyone who can reach it can run anything"
    return failed("token", "the cluster requires none, and is not on loopback", hint)


def _upload(study: StudySpec) -> Check:
    with tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch:
        size = pack(study, Path(scratch))
    return passed("upload", f"{size / 1000:.0f} kB: the study and this package, once")


def _probe(client: JobsClient, study: StudySpec, storage: str | None) -> ClusterFacts:
    """Run the job that collects the facts.

    Raises:
        ClusterError: the job did not answer in time, or failed.
    """
    job_id = f"doctor-{secrets.token_hex(4)}"
    words = ["python", "-m", "agnews_ray", "probe", "--hub-ids", ",".join(_hub_ids(study))]
    words += ["--storage", storage] if storage else []
    with tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch:
        pack(study, Path(scratch))
        environment = runtime_environment(Path(scratch))
        client.submit(
            job_id, shlex.join(words), environment, {"agnews_ray_study": "doctor", PROBE_KEY: "1"}
        )
    given_up_at = time.monotonic() + PROBE_TIMEOUT_S
    while not client.job(job_id).has_ended and time.monotonic() < given_up_at:
        time.sleep(1)
    found = "no answer in time"
    for event in client.events(job_id):
        if isinstance(event, str):
            found = event.strip() or found
        elif isinstance(event, kinds.Probed):
            facts: ClusterFacts = json.loads(event.facts)
            return facts
        elif isinstance(event, kinds.Errored):
            found = event.error
    with suppress(AgnewsError):
        client.stop(job_id)
    hint = "does the image hold requirements.lock? the job's log: agnews-ray logs --all " + job_id
    raise ClusterError(client.address, "an answer of a job there", found[:300], hint)


def _hub_ids(study: StudySpec) -> list[str]:
    models = (*study.models, *models_beside(study))
    return sorted({zoo.load_path(one) for one in models if zoo.is_on_hub(one)})


def _parameters(variant: VariantSpec) -> int:
    """Estimate the number of parameters from the published sizes, or a folder's config."""
    if weights_name(variant.model) is None:
        return 0  # little beside what a process needs anyway
    try:
        sizes = zoo.sizes(zoo.encoder_of(variant) or variant)
    except (AgnewsError, OSError):
        return UNKNOWN_PARAMETERS
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    block = 4 * hidden * hidden + 2 * hidden * inner
    return sizes["vocab_size"] * hidden + sizes["num_layers"] * block
