"""The Learn page without a browser: every experiment that ships, and every term, on real runs."""

import pytest

from mnist_core.analysis.experiment import read_experiments
from mnist_core.errors import InputError
from mnist_core.paths import PROJECT
from pages.components.shared.terms import MARKED, terms, with_terms
from tests.app.opening import open_page, settle
from tests.app.play_canvas import html

EXPERIMENTS, MISTAKES = read_experiments(PROJECT / "pages" / "experiments")


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """The runs that ship, without any images."""
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(PROJECT / "checkpoints"))
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "nothing"))


def test_there_are_six():
    assert len(EXPERIMENTS) == 6 and not MISTAKES


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda each: each.name)
def test_an_experiment_from_the_prediction_to_the_links(shipped, one):
    page = open_page("learn", learn=one.name)
    assert one.title in [each.value for each in page.header]
    assert "Try it" not in [each.value for each in page.subheader]  # the prediction comes first
    key = f"learn_guess_{one.name}"
    guess = next(group for group in page.get("button_group") if group.key == key)
    page = guess.set_value(one.choices[0]).run()
    assert not page.exception and not page.error
    page = page.button(key=f"learn_check_{one.name}").click().run()
    assert not page.exception and not page.error
    assert [each.value for each in page.subheader] == ["Try it", "Why", "Go on from here"]
    verdicts = [each.value for each in (*page.success, *page.info)]
    assert len(verdicts) == 1
    said = ("**As you predicted", *(f"**The runs say: {each}." for each in one.choices))
    assert verdicts[0].startswith(said)
    said = "\n".join(each.value for each in page.markdown)
    assert "| " in said and "{" not in said and "(term)" not in said and "no such run" not in said
    links = [each for each in page.button if each.key.startswith("learn_go_")]
    assert [each.label for each in links] == [each.words for each in one.links]
    assert "1 of 6" in page.get("progress")[0].proto.text


def test_every_term_has_a_picture_and_a_place_and_is_found(shipped):
    page = open_page("learn", learn_tab="Glossary")
    assert not page.error and not page.exception
    said = "\n".join(each.value for each in page.markdown)
    for term in terms().values():
        assert f"**{term.name}** · {term.words}" in said
    assert html(page).count("<img") == len(terms()) >= 20
    pages = {term.see[1].partition("?")[0] for term in terms().values()}
    assert pages <= {"learn", "train", "compare", "playground"}
    page = open_page("learn", learn_tab="Glossary", term="stride")
    assert page.text_input(key="learn_words").value == "stride"
    assert page.markdown[0].value.startswith("**stride**")
    page = page.button(key="learn_see_stride").label
    assert page == "Networks, layer by layer"


def test_a_file_with_a_mistake_is_a_sentence_beside_the_others(shipped, tmp_path, monkeypatch):
    """As somebody sees it who writes an experiment; its live part has its own mistake."""
    text = (PROJECT / "pages" / "experiments" / "1-learning-rate.md").read_text("utf-8")
    (tmp_path / "1-x.md").write_text(text.replace('field = "lr"', 'feild = "lr"', 1), "utf-8")
    (tmp_path / "2-x.md").write_text(text.replace("## Why", "## Because"), "utf-8")
    found = read_experiments(tmp_path)
    monkeypatch.setattr("mnist_core.analysis.experiment.read_experiments", lambda _: found)
    page = open_page("learn")
    assert "2-x.md: its sections must be" in page.warning[0].value and not page.error
    guess = next(group for group in page.get("button_group") if group.key == "learn_guess_1-x")
    page = guess.set_value("1").run()
    assert "1-x: live 'curves': missing a required argument: 'field'" in page.error[0].value
    assert not page.exception


def test_a_term_leads_to_an_experiment(shipped):
    page = open_page("learn", learn_tab="Glossary", term="pooling")
    page.button(key="learn_see_pooling").click()
    page = settle(page)
    assert [each.value for each in page.header] == ["What breaks it: shift, noise, rotation?"]


def test_marked_words_become_links_and_unknown_ones_are_told():
    text = with_terms("The [learning rate](term) and [walks](term: step) of [batches](term).")
    assert text.count("learn?learn_tab=Glossary&term=") == 3 and not MARKED.search(text)
    with pytest.raises(InputError, match="no term 'weather'"):
        with_terms("[weather](term)")


def test_without_runs_it_says_so_in_place(store):
    page = open_page("learn")
    guess = next(g for g in page.get("button_group") if g.key == "learn_guess_1-learning-rate")
    page = guess.set_value("1").run()
    assert not page.exception and "There is no finished run of lenet5" in page.error[0].value
