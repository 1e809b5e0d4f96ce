import pytest

from agnews_ray.app.list_studies import describe_study, list_studies
from agnews_ray.errors import StoreError
from agnews_ray.record.store import StudyStore
from tests.fakes.curves import a_curve_study
from tests.fakes.searched import a_searched_study
from tests.fakes.studies import a_study
from tests.fakes.taught import a_taught_study


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    a_study(runs, "second", variants=(("large", 0.9), ("small", 0.6)))
    a_study(runs, "first")
    return runs


def test_studies_come_by_name_and_other_folders_are_none(runs):
    (runs / ".cache").mkdir(exist_ok=True)
    (runs / "notes").mkdir(exist_ok=True)
    assert [one.name for one in list_studies(runs)] == ["first", "second"]


def test_a_finished_study_says_what_it_found(runs):
    found = describe_study(runs / "second")
    assert (found.state, found.num_finished, found.num_trials) == (
        "finished",
        found.num_trials,
        2 * len(StudyStore.at(runs / "second").load_study().seeds),
    )
    assert found.models == ("large", "small")
    assert found.verdict.startswith("large has the highest mean accuracy")
    assert found.last_finished_at == max(
        record.created_at for record in StudyStore.at(runs / "second").records()
    )
    assert found.problem == ""


def test_the_size_is_that_of_all_files(runs):
    files = [path for path in (runs / "first").rglob("*") if path.is_file()]
    assert describe_study(runs / "first").size_bytes == sum(len(one.read_bytes()) for one in files)


def test_a_file_that_is_gone_meanwhile_is_not_counted(tmp_path):
    folder = a_study(tmp_path)
    before = describe_study(folder).size_bytes
    (folder / "gone").symlink_to(folder / "nowhere")  # listed, and not there
    assert describe_study(folder).size_bytes == before


def test_a_trial_that_is_missing_makes_it_unfinished(tmp_path):
    folder = a_study(tmp_path)
    record = next((folder / "trials").glob("*/record.json"))
    record.unlink()
    found = describe_study(folder)
    assert (found.state, found.num_finished) == ("unfinished", found.num_trials - 1)


def test_a_study_that_is_written_now_is_running(tmp_path):
    folder = a_study(tmp_path)
    with StudyStore.at(folder).writing():
        assert describe_study(folder).state == "running"
    assert describe_study(folder).state == "finished"


def test_trials_of_a_search_are_neither_finished_nor_missing(tmp_path):
    folder = a_searched_study(tmp_path)
    found = describe_study(folder)
    assert (found.state, found.num_finished, found.num_trials) == ("finished", 6, 6)
    assert (found.num_searched, found.problem) == (24, "")
    next((folder / "trials").glob("v0-*/record.json")).unlink()  # its seed is in the search too
    assert describe_study(folder).num_finished == 5


def test_a_study_that_has_only_searched_yet_has_no_verdict(tmp_path):
    folder = a_searched_study(tmp_path)
    for record in (folder / "trials").glob("v*/record.json"):
        record.unlink()
    found = describe_study(folder)
    assert (found.state, found.num_finished, found.num_searched) == ("unfinished", 0, 24)
    assert (found.verdict, found.problem) == ("", "")


def test_one_without_records_has_no_verdict(tmp_path):
    folder = a_study(tmp_path)
    for record in (folder / "trials").glob("*/record.json"):
        record.unlink()
    found = describe_study(folder)
    assert (found.state, found.num_finished, found.verdict, found.problem) == (
        "unfinished",
        0,
        "",
        "",
    )
    assert found.last_finished_at is None


def test_one_that_cannot_be_read_is_listed_with_the_reason(tmp_path):
    a_study(tmp_path, "good")
    broken = a_study(tmp_path, "broken")
    (broken / "study.yaml").write_text("models: 3\n")
    found = {one.name: one for one in list_studies(tmp_path)}
    assert (found["broken"].state, found["good"].state) == ("unreadable", "finished")
    assert "study.yaml" in found["broken"].problem


@pytest.mark.parametrize("name", ["nowhere", "s3://bucket/runs"])
def test_what_is_no_folder_here_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as caught:
        list(list_studies(type(tmp_path)(name)))
    assert caught.value.wanted == "a runs folder on this machine"


def test_every_share_of_a_curve_is_a_trial(tmp_path):
    store = StudyStore.at(a_curve_study(tmp_path))
    store.save_study(store.load_study().model_copy(update={"curve": (0.1, 0.3, 0.6)}))
    found = describe_study(store.folder)
    assert (found.state, found.num_finished, found.num_trials) == ("finished", 16, 16)
    store.save_study(store.load_study().model_copy(update={"curve": (0.1, 0.2, 0.6)}))
    found = describe_study(store.folder)
    assert (found.state, found.num_finished, found.num_trials) == ("unfinished", 12, 16)


def test_what_only_serves_students_is_neither_finished_nor_missing(tmp_path):
    folder = a_taught_study(tmp_path)
    found = describe_study(folder)
    assert (found.state, found.num_finished, found.num_trials) == ("finished", 12, 12)
    next((folder / "trials").glob("v3-s1/record.json")).unlink()  # its labels have the same seed
    assert describe_study(folder).num_finished == 11
