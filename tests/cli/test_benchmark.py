"""``benchmark``: its files, and what it refuses."""

import csv

from tests.benchmark.conftest import plan  # noqa: F401 - the fixture


def test_the_command_writes_table_rows_and_plots(plan, run):  # noqa: F811
    words = ["benchmark", plan.data, "--out", plan.out, "--cache-dir", plan.cache_dir, "--data", "test"]
    words += ["--methods", "daam,linear,daam", "--settings", "2", "--seeds", "2", "--epochs", "3"]
    status, text, err = run(*words, "--measure", "accuracy,few")
    assert status == 0
    assert "linear probe" in text
    assert "daam: note: 0 of 4 cells done; now daam on test: accuracy" in err
    assert "% " not in err
    with (plan.out / "benchmark.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [row["method"] for row in found] == ["daam", "linear"]
    assert found[0]["best_rival"] == "linear"
    assert found[1]["best_rival"] == ""
    page = (plan.out / "benchmark.md").read_text()
    assert "python -m daam_core benchmark data --out out" in page
    assert f"{float(found[0]['accuracy']):.3f}" in page
    assert "With few inputs a class" in page
    assert "| trained parameters; seconds of one training | test |" in page
    assert "Trained parameters are the numbers that training could change; what joint density" in page
    assert (plan.out / "accuracy.svg").read_text().startswith("<?xml")
    assert (plan.out / "few.svg").is_file()
    status, again, err = run(*words, "--table")
    assert (status, err) == (0, "")
    assert "linear probe" in again


def test_wrong_arguments_are_refused(plan, refused):  # noqa: F811
    words = ("benchmark", plan.data, "--out", plan.out)
    assert "no data set 'moon' in the benchmark; there are folds, test" in refused(*words, "--data", "moon")
    assert "There is no method 'magic'" in refused(*words, "--methods", "magic")
    assert "needs at least one method" in refused(*words, "--methods", "")
    assert "no measurement 'all' of the benchmark" in refused(*words, "--measure", "all")
    assert "--seeds: '0' is not a whole number" in refused(*words, "--seeds", "0")
    assert "There is no folder 'nowhere'" in refused("benchmark", plan.data / "nowhere", "--out", plan.out)
