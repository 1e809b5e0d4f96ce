"""What lies in a study's folder and is damaged, newer, a copy or a path: named, and set aside."""

import json
import shutil
from pathlib import Path

import pytest

from agnews_ray.app.analyse import assess_study, compare_study
from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.cost import load_costs, save_costs
from agnews_ray.record.finished import NewerRecordError
from agnews_ray.record.schema import SCHEMA_VERSION
from agnews_ray.record.storage import Storage, check_uri, is_uri, without_keys, without_secrets
from agnews_ray.record.store import StudyStore
from tests.fakes.records import a_record
from tests.fakes.studies import a_study


@pytest.fixture
def folder(tmp_path):
    return a_study(tmp_path)


def change(folder, trial="v0-s1", **changes):
    path = folder / "trials" / trial / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def publish(store, record, content=b"1"):
    staged = Path(store.staging_folder(record.trial_id))
    (staged / "predictions.parquet").write_bytes(content)
    return store.publish(record, str(staged))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda f: (f / "trials/v0-s1/record.json").write_bytes(b""), "an empty file"),
        (lambda f: (f / "trials/v0-s1/record.json").write_bytes(b"{"), "damaged JSON"),
        (lambda f: change(f, schema_version="10"), "'10'"),
        (lambda f: change(f, schema_version=True), "True"),
        (lambda f: change(f, schema_version=2.0), "2.0"),
        (lambda f: change(f, schema_version=None), "None"),
        (lambda f: change(f, schema_version=0), "version '0'"),
        (lambda f: change(f, schema_version=SCHEMA_VERSION + 7), "upgrade agnews-ray"),
        (lambda f: change(f, schema_version=1, training=3), "training"),
        (lambda f: change(f, schema_version=1, test=None), "record"),
        (lambda f: change(f, trial_id="../../outside"), "which is not a name"),
        (lambda f: change(f, study="a/b"), "which is not a name"),
        (lambda f: change(f, trial_id="v0-s9"), "a copy"),
    ],
)
def test_one_bad_record_is_named_and_the_others_compare(folder, damage, expected):
    damage(folder)
    lines = []
    table = compare_study(folder, lines.append)
    assert [row.num_seeds for row in table.rows] == [2, 3]
    assert len(lines) == 1
    assert expected in lines[0]
    assert "v0-s1" in lines[0]


def test_a_newer_record_is_never_to_be_deleted(folder):
    change(folder, schema_version=SCHEMA_VERSION + 1)
    (one,) = StudyStore.at(folder).finished().set_aside
    assert isinstance(one.error, NewerRecordError)
    assert "delete" not in str(one)
    store = StudyStore.at(folder)
    with store.writing(), pytest.raises(NewerRecordError, match="upgrade"):
        publish(store, a_record("v0-s1"))


def test_where_no_record_can_be_read_that_is_an_error(folder):
    for path in folder.glob("trials/*/record.json"):
        path.write_bytes(b"")
    with pytest.raises(RecordError, match="an empty file"):
        compare_study(folder)


def test_a_copy_of_a_trial_is_no_second_seed(folder):
    shutil.copytree(folder / "trials" / "v0-s1", folder / "trials" / "v0-s1.bak")
    lines = []
    table = compare_study(folder, lines.append)
    assert [row.num_seeds for row in table.rows] == [3, 3]
    assert "v0-s1.bak" in lines[0]


def test_a_seed_that_is_there_twice_is_counted_once(folder):
    shutil.copytree(folder / "trials" / "v0-s1", folder / "trials" / "other")
    change(folder, "other", trial_id="other", created_at="2027-01-01T00:00:00+00:00")
    lines = []
    table = compare_study(folder, lines.append)
    assert [row.seeds for row in table.rows] == [(1, 2, 3), (1, 2, 3)]
    assert "v0-s1: a later trial has the same model and seed" in lines[0]


@pytest.mark.parametrize("name", ["predictions.parquet", "curve.parquet"])
def test_a_trial_whose_files_are_torn_is_left_out_of_a_report(folder, name):
    (folder / "trials" / "v0-s1" / name).write_bytes(b"PAR1 torn")
    lines = []
    table = assess_study(folder, tell=lines.append).table
    assert [row.num_seeds for row in table.rows] == [2, 3]
    assert name in lines[0]


@pytest.mark.parametrize("name", ["study.yaml", "test_rows.parquet"])
def test_torn_files_of_the_study_keep_no_report_from_being_written(folder, name):
    (folder / name).write_bytes(b"")
    lines = []
    assert len(assess_study(folder, tell=lines.append).table.rows) == 2
    assert name in lines[0]


def test_a_newer_cost_file_asks_for_an_upgrade(tmp_path):
    (tmp_path / "cost.json").write_text('[{"schema_version": 10}]')
    with pytest.raises(NewerRecordError, match="upgrade"):
        load_costs(tmp_path)
    with pytest.raises(NewerRecordError, match="upgrade"):
        save_costs(tmp_path, [])


def test_a_damaged_cost_file_does_not_lose_what_was_just_measured(tmp_path):
    (tmp_path / "cost.json").write_text("[{")
    save_costs(tmp_path, [])
    assert load_costs(tmp_path) == ()


def test_a_torn_trial_is_kept_aside_when_it_is_run_again(tmp_path):
    store, record = StudyStore(tmp_path, "study"), a_record()
    with store.writing():
        folder = publish(store, record, b"first")
    for number in (1, 2):
        (folder / "record.json").write_bytes(b"")
        with store.writing():
            publish(store, record, b"next")
        aside = store.folder / ".damaged" / f"{record.trial_id}-{number}"
        assert (aside / "predictions.parquet").is_file()
    assert store.records() == (record,)
    assert "kept in .damaged" in store.take_notes()[0]


def test_the_first_record_of_a_trial_is_kept(tmp_path):
    store, record = StudyStore(tmp_path, "study"), a_record()
    with store.writing():
        folder = publish(store, record, b"first")
        again = publish(store, a_record(accuracy=0.1), b"second")
    assert again == folder
    assert (folder / "predictions.parquet").read_bytes() == b"first"
    assert store.records() == (record,)
    assert "whose result is kept" in store.take_notes()[0]


SECRETS = [
    "s3://KEY:hunter2@bucket/x",
    "s3://KEY%3Ahunter2@bucket/x",
    "s3://KEY:hunter2%40bucket/x",
    "s3:/KEY:hunter2@bucket/x",
    "S3://KEY:hunter2@bucket/x",
    "gs://user:hunter2@bucket/x",
    "abfs://c:hunter2@account.dfs.core.windows.net/x",
    "hdfs://user:hunter2@host:1/x",
    "file://user:hunter2@host/x",
    "s3://bucket/x?secret_key=hunter2",
    "s3://bucket/x?region=us-east-1&session_token=hunter2",
    "s3://bucket/x?hunter2",
    "s3://bucket/x?hunter2=1",
    "s3://bucket/x?%73ecret_key=hunter2",
    "s3://bucket/x?endpoint_override=user:hunter2@host",
    "s3://bucket/x?endpoint_override=user:hunter2%40host",
    "abfs://c@account.dfs.core.windows.net/x?client_secret=hunter2",
    "abfs://c@account.dfs.core.windows.net/x?sig=hunter2",
    "hdfs://host:1/x?kerb_ticket=/tmp/hunter2",
    "s3://bucket/x#hunter2",
    "s3://bucket/x?region=a#hunter2",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_secrets_in_a_uri_are_refused_and_never_repeated(uri):
    assert is_uri(uri)
    for act in (check_uri, Storage):
        with pytest.raises(StoreError) as raised:
            act(uri)
        assert raised.value.__cause__ is None
        assert "hunter2" not in str(raised.value.args)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/x?scheme=http&endpoint_override=127.0.0.1:9000&region=us-east-1",
        "s3://bucket/x?allow_bucket_creation=true&tls_ca_file_path=/etc/ca.pem",
        "gs://anonymous@bucket/x?project_id=mine&retry_limit_seconds=3",
        "abfs://container@account.dfs.core.windows.net/x?credential_kind=cli",
        "file:///tmp/a%3Ab%40c",
        "file:///a%3Ab%40c",
    ],
)
def test_options_that_are_no_secrets_are_taken(uri):
    check_uri(uri)


def test_a_refused_option_is_named():
    with pytest.raises(StoreError, match="found option secret_key;"):
        check_uri("s3://bucket/x?secret_key=hunter2")


def test_a_folder_may_be_called_anything():
    assert not is_uri("runs/a:b@c?d")
    assert without_secrets("runs/a:b@c?d") == "runs/a:b@c?d"


def test_a_recorded_command_names_no_password():
    command = "agnews-ray submit --address http://me:hunter2@host:8265 --dataset a/b@c"
    assert without_keys(command) == "agnews-ray submit --address http://host:8265 --dataset a/b@c"


def test_a_record_deeper_down_is_no_trial(folder):
    deep = folder / "trials" / "v0-s1" / "artifact"
    deep.mkdir()
    shutil.copy(folder / "trials" / "v0-s1" / "record.json", deep)
    assert StudyStore.at(folder).finished().set_aside == ()
