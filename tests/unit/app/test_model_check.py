"""What is said of models before the first trial; the checks themselves are engine.preflight's."""

from agnews_ray.app.model_check import model_lines
from agnews_ray.engine.preflight import Findings
from agnews_ray.spec.variant import VariantSpec

FOUND = Findings(
    head="fresh", precision="fp32", num_parameters=1, unknown_share=0.25, notes=("a note",)
)


def test_a_tuned_models_line_names_its_head_and_a_linear_one_what_it_is():
    tuned = VariantSpec(model="minilm", name="one")
    assert model_lines(tuned, FOUND) == [
        "model one: fresh head, fp32, 25.0% of the rows' pieces not in its vocabulary",
        "note  one: a note",
    ]
    svm = VariantSpec(model="tfidf-svm", name="svm")
    assert model_lines(svm, None) == ["model svm: linear SVM on TF-IDF of words and pairs of words"]
    embed = VariantSpec(model="embed-logreg:minilm", name="embed")
    (line, _) = model_lines(embed, FOUND)
    assert line.startswith("model embed: logistic regression on the mean token vector")
    assert "head" not in line
