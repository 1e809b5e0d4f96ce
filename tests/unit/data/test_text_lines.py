from agnews_ray.data.text_lines import iter_lines, lines_layout
from agnews_ray.spec.data import DataSpec


def texts_of(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding))
    layout = lines_layout(path, DataSpec())
    return [text for batch in iter_lines(path, layout) for text in batch["text"].to_pylist()]


def test_each_line_is_a_text_whatever_it_holds(tmp_path):
    content = '\ufeffGold, silver; "oil" | up\r\n\r\nGröße 3\u2028still the same text'
    wanted = ['Gold, silver; "oil" | up', "", "Größe 3\u2028still the same text"]
    assert texts_of(tmp_path / "news.txt", content) == wanted


def test_another_encoding_is_found(tmp_path):
    assert texts_of(tmp_path / "news.txt", "Größe\nnächste\n", "utf-16") == ["Größe", "nächste"]


def test_a_file_with_tabs_or_named_columns_is_a_table(tmp_path):
    path = tmp_path / "news.txt"
    path.write_text("title\ttext\na\tb\n")
    assert lines_layout(path, DataSpec()) is None
    path.write_text("title,text\na,b\n")
    assert lines_layout(path, DataSpec(text_columns=("title", "text"))) is None
