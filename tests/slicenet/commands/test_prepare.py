import json
import shutil

import pytest


@pytest.fixture(scope="module")
def prepared(slicenet, brains, tmp_path_factory):
    """One stripped brain made ready, beside a file that is none: the run and its folder."""
    folder = tmp_path_factory.mktemp("prepare")
    shutil.copytree(brains / "sub-01", folder / "in" / "sub-01")
    (folder / "in" / "sub-02" / "anat").mkdir(parents=True)
    (folder / "in" / "sub-02" / "anat" / "sub-02_T1w.nii.gz").write_bytes(b"junk")
    words = ("prepare", folder / "in", folder / "out", "--spacing", "3", "--workers", "0")
    return slicenet(*words), folder, words


def test_the_bad_are_told_and_the_good_are_not_held_up(prepared):
    done, folder, _ = prepared
    assert "failed sub-02: " in done.stderr
    table = (folder / "out" / "prepared.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in table] == ["name", "sub-01", "sub-02"]
    assert (folder / "out" / "sub-01" / "figures").is_dir()
    status = table[1].split("\t")[1]
    # These brains are of noise: most likely they do not look like an average one at all.
    assert done.exit_code == (3 if status == "ok" else 4), done.output


def test_json_is_one_document_with_every_case(slicenet, prepared):
    _, folder, _ = prepared
    bad = folder / "in" / "sub-02"  # a brain would only take time
    done = slicenet("prepare", bad, folder / "other", "--spacing", "3", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 4
    assert [row["name"] for row in found["cases"]] == ["sub-02"]
    assert found["cases"][0]["code"].startswith("E_")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("only-one",), "nowhere to write to"),
        (("{brains}", "{brains}/out"), "input"),
        (("{brains}", "out", "--spacing", "0"), "spacing"),
        (("{brains}", "out", "--skull-strip-cmd", "nothing {in}"), "needs {in}"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(slicenet, brains, tmp_path, words, said):
    words = [str(brains / word.partition("/")[2]) if "{brains}" in word else word for word in words]
    done = slicenet("prepare", *words)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
