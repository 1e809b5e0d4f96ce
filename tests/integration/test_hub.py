"""Loading from the hub, against a local stand-in for its HTTP interface."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes.hub import COMMIT, serving
from tests.unit.model.test_build import NAMES, a_tokenizer, tiny

pytestmark = pytest.mark.integration

LOAD = """
from pathlib import Path
from agnews_ray.model.hub import go_offline_if_unreachable, loaded_revision
go_offline_if_unreachable()
from agnews_ray.data.scan import scan_dataset
from agnews_ray.model.build import build_classifier
from agnews_ray.model.tokenizer import load_tokenizer
from agnews_ray.spec.study import DataSpec, VariantSpec
variant = VariantSpec(model="owner/encoder")
record = scan_dataset(DataSpec(source="owner/news"), Path("cache")).record
model = build_classifier(variant, record.class_names, 0)
print(record.class_names, record.train.num_rows, len(load_tokenizer(variant)) > 5)
print(loaded_revision(variant))
"""


DATASET_CARD = """---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': World
          '1': Sports
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
---
"""


@pytest.fixture
def hub(tmp_path):
    from agnews_ray.model.build import build_classifier

    encoder, news = tmp_path / "encoder", tmp_path / "news"
    build_classifier(tiny(), NAMES, 0).save_pretrained(encoder)
    a_tokenizer().save_pretrained(encoder)
    (news / "data").mkdir(parents=True)
    for split, count in (("train", 8), ("test", 4)):
        table = pa.table({"text": ["some text"] * count, "label": [i % 2 for i in range(count)]})
        pq.write_table(table, news / "data" / f"{split}-00000-of-00001.parquet")
    (news / "README.md").write_text(DATASET_CARD)
    with serving({"owner/encoder": encoder, "datasets/owner/news": news}) as endpoint:
        yield endpoint


def load(tmp_path, endpoint, code=LOAD):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )


def test_models_and_datasets_come_from_the_hub_and_then_from_its_cache(tmp_path, hub):
    online = load(tmp_path, hub)
    assert online.returncode == 0, online.stderr
    assert online.stdout.splitlines() == ["('World', 'Sports') 8 True", COMMIT]
    offline = load(tmp_path, "http://127.0.0.1:9")  # nothing listens there
    assert offline.stdout == online.stdout, offline.stderr


def test_a_hub_out_of_reach_names_the_offline_ways(workplace):
    done = workplace("offline").run("submit", "--models", "bert", "--dataset", "synthetic:")
    assert done.returncode == 2
    assert done.err.startswith("error: model 'bert': want the Hugging Face hub or its cache")
    assert "HF_ENDPOINT" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.network
def test_the_papers_models_and_data_come_from_the_real_hub(tmp_path):
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen("https://huggingface.co", timeout=5).close()
    except (urllib.error.URLError, OSError) as error:
        pytest.skip(f"the Hugging Face hub does not answer: {error}")
    code = LOAD.replace("owner/news", "ag_news")
    for model in ("distilbert", "minilm"):
        done = load(tmp_path, "https://huggingface.co", code.replace("owner/encoder", model))
        assert done.stdout.startswith("('World', 'Sports', 'Business', 'Sci/Tech') 120000"), (
            done.stderr
        )
