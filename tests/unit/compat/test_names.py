"""Each name that may go is still there and does what it is used for; none is used elsewhere."""

import ast
import inspect
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from ray.exceptions import RayActorError
from ray.train import PreemptionError
from transformers import BertConfig, BertForSequenceClassification

import agnews_ray
from agnews_ray.compat import of_datasets, of_ray, of_torch, of_transformers

PACKAGE = Path(agnews_ray.__file__).parent
LIBRARIES = ("ray", "torch", "transformers", "datasets")
DYING = {"ray_remote_args", "ray_remote_args_fn"}


def test_rays_key_value_store_has_its_three_functions():
    from ray.experimental import internal_kv

    for name, num_needed in {"_put": 2, "_get": 1, "_del": 1}.items():
        parameters = inspect.signature(getattr(internal_kv, f"_internal_kv{name}")).parameters
        needed = [one for one in parameters.values() if one.default is inspect.Parameter.empty]
        assert len(needed) == num_needed


def test_references_in_a_message_can_be_had():
    from ray._private.serialization import SerializationContext

    for name in ("in_band_serialization", "out_of_band_serialization"):
        assert callable(getattr(SerializationContext, f"set_{name}"))
    assert callable(SerializationContext.get_and_clear_contained_object_refs)


def test_ray_data_asks_for_limits_at_an_interval_of_its_class(monkeypatch):
    from ray.data._internal.execution.resource_manager import ResourceManager

    monkeypatch.setattr(ResourceManager, "GLOBAL_LIMITS_UPDATE_INTERVAL_S", 1.0)
    of_ray.ask_for_limits_every(0.25)
    assert ResourceManager.GLOBAL_LIMITS_UPDATE_INTERVAL_S == 0.25
    assert "GLOBAL_LIMITS_UPDATE_INTERVAL_S" in inspect.getsource(ResourceManager)


def test_a_cluster_file_is_checked_as_by_ray_up():
    from jsonschema import ValidationError

    provider = {"type": "local", "head_ip": "127.0.0.1", "worker_ips": []}
    content = {"cluster_name": "one", "provider": provider, "auth": {"ssh_user": "one"}}
    with pytest.raises(ValidationError, match="'many' is not of type"):
        of_ray.check_as_ray_up(content | {"idle_timeout_minutes": "many"})


def test_ray_train_gives_notice_of_nodes_and_without_that_there_are_none(monkeypatch):
    import ray.train

    notice = ray.train.PreemptionInfo(deadline_ms=None, preempted_node_to_ranks={"b": [1]})
    assert callable(ray.train.get_preemption_info)
    monkeypatch.setattr(ray.train, "get_preemption_info", lambda: notice)
    assert of_ray.draining_nodes() == ("b",)
    monkeypatch.delattr(ray.train, "get_preemption_info")
    assert of_ray.draining_nodes() == ()


def test_ray_train_starts_no_workers_again_itself():
    assert of_ray.no_own_retries() == {"max_failures": 0, "max_preemption_failures": 0}


@pytest.mark.parametrize("has_own", [True, False])
def test_ray_says_that_a_node_was_taken_away(monkeypatch, has_own):
    assert of_ray.is_preemption(RayActorError(preempted=True))
    assert not of_ray.is_preemption(RayActorError())
    error = PreemptionError(SimpleNamespace(preempted_ranks=[0]))
    if not has_own:  # as in Ray 2.55
        monkeypatch.delattr("ray.train.PreemptionError")
    assert of_ray.is_preemption(error) is has_own


def test_a_job_config_keeps_the_working_folder_out(tmp_path):
    import ray._private.worker
    from ray.job_config import JobConfig

    config = of_ray.job_config_without_working_folder(tmp_path)
    assert config._py_driver_sys_path == [str(tmp_path)]
    assert JobConfig()._runtime_env_has_working_dir() is False
    assert config._runtime_env_has_working_dir() is True
    assert "_runtime_env_has_working_dir()" in inspect.getsource(ray._private.worker.connect)


def test_rays_lines_go_to_a_function(monkeypatch):
    import ray._private.worker

    monkeypatch.setattr(ray._private.worker, "print_to_stdstream", print)
    of_ray.tell_lines_to(repr)
    assert ray._private.worker.print_to_stdstream is repr
    assert "print_to_stdstream" in inspect.getsource(ray._private.worker)


def test_a_trainer_is_made_without_two_processes():
    from ray.train.torch import TorchTrainer

    def of(trainer):
        made = trainer(print)._create_default_callbacks()
        return {type(one).__name__ for one in made}

    assert of(TorchTrainer) - of(of_ray.light_trainer(TorchTrainer, has_autoscaler=True)) == {
        "DatasetsCallback",
        "PlacementGroupCleanerCallback",
    }


@pytest.mark.parametrize("has_autoscaler", [False, True])
def test_a_trainer_asks_an_autoscaler_only_where_there_is_one(monkeypatch, has_autoscaler):
    from ray.train import ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.train.v2._internal.execution.scaling_policy import create_scaling_policy
    from ray.train.v2._internal.execution.scaling_policy import scaling_policy as ray_policy

    asked, given = [], {}
    client = SimpleNamespace(
        send_resource_request=lambda *_: asked.append("send"),
        maybe_send_resource_request=lambda *_: asked.append("send again"),
        cancel_resource_request=lambda: asked.append("cancel"),
    )
    monkeypatch.setattr(ray_policy, "TrainAutoscalingCoordinatorClient", lambda _: client)
    monkeypatch.setattr(
        TorchTrainer, "_initialize_and_run_controller", lambda _, **settings: given.update(settings)
    )
    trainer = of_ray.light_trainer(TorchTrainer, has_autoscaler=has_autoscaler)(print)
    policy = create_scaling_policy(ScalingConfig(num_workers=2))
    trainer._initialize_and_run_controller(scaling_policy=policy)
    policy = pickle.loads(pickle.dumps(given["scaling_policy"]))  # it goes to the controller
    policy.after_controller_start(SimpleNamespace(run_id="x"))
    policy.make_decision_for_non_running_worker_group()
    policy._cancel_resource_request()
    assert bool(asked) is has_autoscaler


def test_services_that_a_study_needs_not_are_not_started_and_then_are_again():
    from ray._private.node import Node

    names = ("start_api_server", "start_monitor", "start_log_monitor")
    before = [getattr(Node, name) for name in names]
    source = inspect.getsource(Node)
    assert all(f"self.{name}(" in source for name in names)
    with of_ray.only_needed_services():
        assert [getattr(Node, name)(None, include_dashboard=False) for name in names] == [None] * 3
    assert [getattr(Node, name) for name in names] == before


def test_linear_by_onednn_is_linear():
    values, weight, bias = torch.randn(5, 7), torch.randn(3, 7), torch.randn(3)
    if not of_torch.has_linear_by_onednn():
        pytest.skip("this build of torch has no oneDNN")
    torch.testing.assert_close(
        of_torch.linear_by_onednn(values, weight, bias),
        torch.nn.functional.linear(values, weight, bias),
    )


def test_the_backward_pass_of_a_softmax_is_autograds():
    scores = torch.randn(4, 6, requires_grad=True)
    shares, by_shares = scores.softmax(-1), torch.randn(4, 6)
    (expected,) = torch.autograd.grad(shares, scores, by_shares)
    torch.testing.assert_close(of_torch.softmax_backward(by_shares, shares), expected)


def test_only_fresh_weights_are_drawn_again():
    config = BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        vocab_size=50,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    before = {name: value.clone() for name, value in model.named_parameters()}
    torch.manual_seed(12345)
    of_transformers.initialise_again(model, {"classifier.weight"})
    changed = {n for n, value in model.named_parameters() if not value.equal(before[n])}
    assert changed == {"classifier.weight"}


def test_a_copy_with_plain_attention_has_the_same_shapes():
    config = BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        vocab_size=50,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    bare = of_transformers.with_plain_attention(model)
    assert bare.config._attn_implementation == "eager"
    assert [one.shape for one in bare.parameters()] == [one.shape for one in model.parameters()]


def test_an_optimiser_warns_of_uncaptured_steps_by_a_flag():
    assert "_warned_capturable_if_run_uncaptured" in inspect.getsource(torch.optim.Optimizer)
    optimizer = torch.optim.AdamW([torch.zeros(1)])
    of_torch.do_not_warn_of_uncaptured_steps(optimizer)
    assert optimizer._warned_capturable_if_run_uncaptured


def test_a_split_of_datasets_has_a_fingerprint_of_its_rows():
    from datasets import Dataset

    one, other = (Dataset.from_dict({"text": [text]}) for text in ("a", "b"))
    assert of_datasets.fingerprint(one) != of_datasets.fingerprint(other)


def test_the_trainer_is_kept_on_one_gpu():
    from transformers import TrainingArguments

    class Arguments:
        _n_gpu = 4
        n_gpu = TrainingArguments.n_gpu
        _setup_devices = None

    arguments = Arguments()
    of_transformers.on_one_gpu(arguments)
    assert arguments.n_gpu == 1


def is_private(name):
    return re.fullmatch(r"_[a-z]\w*", name) is not None


def private_uses(file):
    """Private names that are imported, and dying arguments; ruff looks at attributes (SLF)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            parts = [*node.module.split("."), *(one.name for one in node.names)]
            yield from (part for part in parts if is_private(part) or part == "experimental")
            if ".v2." in node.module:
                yield node.module
        elif isinstance(node, ast.Import):
            for one in node.names:
                if one.name.split(".")[0] in LIBRARIES:
                    yield from filter(is_private, one.name.split("."))
        elif isinstance(node, ast.keyword) and node.arg in DYING:
            yield node.arg


def test_such_names_are_used_in_compat_only():
    found = {
        str(file.relative_to(PACKAGE)): names
        for file in sorted(PACKAGE.rglob("*.py"))
        if (names := list(private_uses(file))) and file.parent.name != "compat"
    }
    assert found == {}
    in_compat = [name for file in (PACKAGE / "compat").glob("*.py") for name in private_uses(file)]
    assert len(in_compat) > 3  # what is looked for is found where it is
