import pytest

from agnews_ray.report.escaping import markdown_text, tex_text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("100 % & $5_x #1 {a}", r"100 \% \& \$5\_x \#1 \{a\}"),
        ("a~b^c", r"a\textasciitilde{}b\textasciicircum{}c"),
        ("<a>", r"\textless{}a\textgreater{}"),
        ("\N{MINUS SIGN}1", "$-$1"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),  # what was escaped is not escaped again
        ("plain (é), 1.5-2", "plain (é), 1.5-2"),
    ],
)
def test_what_tex_would_run_is_escaped(text, written):
    assert tex_text(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("*c* _d_ `e` #f", r"\*c\* \_d\_ \`e\` \#f"),
        ("![g](h)", r"!\[g\](h)"),
        ("{i}", r"\{i\}"),
        (r"\|", r"\\\|"),
        ("<script> &amp;", "&lt;script&gt; &amp;amp;"),
        ("\"quoted\" 'text', 1.5-2", "\"quoted\" 'text', 1.5-2"),
    ],
)
def test_what_markdown_or_html_would_read_as_markup_is_escaped(text, written):
    assert markdown_text(text) == written
