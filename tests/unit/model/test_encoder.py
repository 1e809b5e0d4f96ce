import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    CamembertConfig,
    CamembertForMaskedLM,
    GPT2Config,
    GPT2Model,
)

from agnews_ray.engine.masked_lm import head_of
from agnews_ray.errors import ModelError
from agnews_ray.model import zoo
from agnews_ray.model.build import build_classifier
from agnews_ray.model.encoder import build_encoder, copy_head, load_teacher, save_encoder
from agnews_ray.spec.distillation import StudentSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.artifacts import a_tokenizer

TOKENIZER = a_tokenizer()
SIZES = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 48,
}
IDS = torch.tensor([[2, 7, 9, 3]])
LAYERS = StudentSpec(layers=(0, 2))
AS_DISTILBERT = StudentSpec(layers=(0, 2), form="distilbert")


def saved(folder, model):
    model.save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def bare(tmp_path):
    """The folder holds a BERT with pooler and without head."""
    torch.manual_seed(1)
    return saved(tmp_path / "bare", BertModel(BertConfig(**SIZES)))


@pytest.fixture
def with_head(tmp_path):
    """The folder holds a BERT with a masked-language-model head and without pooler."""
    torch.manual_seed(2)
    return saved(tmp_path / "head", BertForMaskedLM(BertConfig(**SIZES)))


def built(model, with_head=False, seed=0, student=None, **more):
    return build_encoder(
        VariantSpec(model=model, student=student), seed, TOKENIZER, with_head, **more
    )


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("has_head", [True, False])
@pytest.mark.parametrize("student", [None, LAYERS, AS_DISTILBERT])
def test_the_classifier_built_from_a_saved_encoder_has_its_weights(
    bare, tmp_path, student, has_head
):
    encoder = built(bare, has_head, student=student)
    save_encoder(tmp_path / "saved", encoder, TOKENIZER)
    classifier = build_classifier(VariantSpec(model=str(tmp_path / "saved")), ("a", "b"), 0)
    assert equal(classifier.base_model.state_dict(), encoder.base_model.state_dict())
    assert all(parameter.requires_grad for parameter in classifier.parameters())


def test_a_saved_encoder_is_loaded_by_plain_transformers(with_head, tmp_path):
    encoder = built(with_head, with_head=True, student=AS_DISTILBERT).eval()
    save_encoder(tmp_path / "saved", encoder, TOKENIZER)
    plain = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved").eval()
    assert plain.config.architectures == ["DistilBertForMaskedLM"]
    assert torch.equal(plain(IDS).logits, encoder(IDS).logits)
    expected = encoder.base_model(IDS).last_hidden_state
    of_base = AutoModel.from_pretrained(tmp_path / "saved").eval()(IDS).last_hidden_state
    assert torch.equal(of_base, expected)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert tokenizer("oil prices")["input_ids"] == TOKENIZER("oil prices")["input_ids"]


def test_a_saved_encoder_goes_on_where_it_was(with_head, tmp_path):
    encoder = built(with_head, with_head=True, student=LAYERS)
    save_encoder(tmp_path / "saved", encoder, TOKENIZER)
    again = built(str(tmp_path / "saved"), with_head=True, needs_kept_head=True)
    assert equal(again.state_dict(), encoder.state_dict())


def test_the_identity_of_a_saved_encoder_is_its_weights(bare, tmp_path):
    encoder, variant = built(bare, student=LAYERS), VariantSpec(model=str(tmp_path / "saved"))
    save_encoder(tmp_path / "saved", encoder, TOKENIZER)
    first = zoo.identity(variant)
    zoo.check_model(variant)
    with torch.no_grad():
        encoder.embeddings.LayerNorm.bias += 1
    save_encoder(tmp_path / "saved", encoder, TOKENIZER)
    assert zoo.identity(variant) != first


@pytest.mark.parametrize("has_head", [True, False])
def test_a_folders_pooler_is_kept_and_not_trained(bare, has_head):
    pooler = built(bare, has_head).base_model.pooler
    assert equal(pooler.state_dict(), AutoModel.from_pretrained(bare).pooler.state_dict())
    assert not any(parameter.requires_grad for parameter in pooler.parameters())


@pytest.mark.parametrize("student", [None, LAYERS, StudentSpec(num_layers=2, hidden_size=16)])
def test_no_random_pooler_is_made(with_head, student):
    assert built(with_head, student=student).pooler is None


def test_fresh_weights_have_no_pooler_either():
    sizes = ArchitectureSpec(
        num_layers=1, hidden_size=16, num_heads=2, intermediate_size=16, vocab_size=200
    )
    fresh = VariantSpec(model="minilm", init="random", architecture=sizes)
    assert build_encoder(fresh, 0, TOKENIZER, with_head=False).pooler is None


def test_a_missing_head_is_fresh_by_the_seed_and_tied(bare):
    first, again, other = (built(bare, with_head=True, seed=seed) for seed in (3, 3, 4))
    dense = "cls.predictions.transform.dense.weight"
    assert torch.equal(first.state_dict()[dense], again.state_dict()[dense])
    assert not torch.equal(first.state_dict()[dense], other.state_dict()[dense])
    words = first.get_input_embeddings().weight
    assert first.get_output_embeddings().weight is words
    assert torch.equal(words, AutoModel.from_pretrained(bare).get_input_embeddings().weight)


def test_a_distilberts_head_is_tied_too(with_head):
    student = built(with_head, with_head=True, student=AS_DISTILBERT)
    assert student.get_output_embeddings().weight is student.get_input_embeddings().weight


def test_a_fresh_head_that_comes_first_in_its_class_leaves_the_embeddings(tmp_path):
    base = CamembertForMaskedLM(CamembertConfig(**SIZES, pad_token_id=0)).base_model
    folder = saved(tmp_path / "camembert", base)
    found = built(folder, with_head=True).get_input_embeddings().weight
    assert torch.equal(found, base.get_input_embeddings().weight)


def test_a_teacher_without_the_head_that_it_needs_is_refused(bare, with_head):
    load_teacher(with_head, None, with_head=True)
    with pytest.raises(ModelError, match=r"want a masked-language-model head.*masked-lm"):
        load_teacher(bare, None, with_head=True)
    sizes = StudentSpec(num_layers=1)
    with pytest.raises(ModelError, match="masked-lm"):
        built(with_head, with_head=True, student=sizes, needs_kept_head=True)


def test_an_architecture_without_such_a_head_is_refused(tmp_path):
    config = GPT2Config(vocab_size=len(TOKENIZER), n_embd=16, n_layer=1, n_head=2)
    folder = saved(tmp_path / "gpt2", GPT2Model(config))
    with pytest.raises(ModelError, match="found model_type 'gpt2'"):
        built(folder, with_head=True)


def test_a_teacher_is_frozen_and_in_evaluation_mode(bare):
    teacher = load_teacher(bare, None, with_head=False)
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_weights_that_do_not_fit_the_config_are_refused(bare, tmp_path):
    config = BertConfig(**{**SIZES, "num_hidden_layers": 5})
    config.save_pretrained(bare)
    with pytest.raises(ModelError, match="want weights for all of its config"):
        built(bare)


def test_the_table_has_a_row_for_each_entry_of_the_tokenizer(tmp_path):
    config = BertConfig(**{**SIZES, "vocab_size": len(TOKENIZER) - 2})
    model = built(saved(tmp_path / "short", BertModel(config)), with_head=True)
    assert model.get_output_embeddings().weight.shape[0] == len(TOKENIZER)


@pytest.mark.parametrize("student", [LAYERS, AS_DISTILBERT], ids=["same", "distilbert"])
def test_a_student_gets_the_head_of_its_teacher(bare, tmp_path, student):
    teacher = build_encoder(VariantSpec(model=bare), 7, TOKENIZER, with_head=True)
    own = [p for name, p in teacher.cls.named_parameters() if not name.endswith("decoder.weight")]
    with torch.no_grad():
        for parameter in own:
            parameter.add_(torch.randn_like(parameter))
    built = build_encoder(VariantSpec(model=bare, student=student), 1, TOKENIZER, with_head=True)
    embeddings = built.get_input_embeddings().weight.clone()
    copy_head(teacher, built)
    assert torch.equal(built.get_input_embeddings().weight, embeddings)
    hidden = torch.randn(3, 32)
    ours = head_of(built)(hidden)
    assert torch.allclose(ours, head_of(teacher)(hidden), atol=1e-5)
