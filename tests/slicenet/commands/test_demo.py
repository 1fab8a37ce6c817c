import re
import struct

import pytest

from slicenet import demo

SMALL = ["--set", "frame.spacing=[6,6,6]"]
BRIEF = [
    word
    for setting in ("finetune.each=4", "finetune.lesions.steps=6", "finetune.lesions.settle=1")
    for word in ("--set", f"slices.{setting}")
] + ["--set", "flow.course.steps=10"]


@pytest.fixture(scope="module")
def shown(slicenet, tmp_path_factory):
    """The demo as it is, but with fewer and coarser phantoms."""
    out = tmp_path_factory.mktemp("demo")

    def few(folder, seed):
        counts = {"train": ("7", "0"), "test": ("2", "3")}
        return [
            ["phantom", str(folder / part), "--healthy", h, "--lesioned", s, "--seed", str(i),
             "--spacing", "6", "--workers", "1"]
            for i, (part, (h, s)) in enumerate(counts.items())
        ]  # fmt: skip

    def coarse(folder):
        groups = wanted(folder)
        return {
            name: [
                [*group[0][:4], *SMALL, *(BRIEF if "quick" in group[0] else []), *group[0][-2:]],
                *group[1:],
            ]
            for name, group in groups.items()
        }

    wanted = demo.methods
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "preparations", few)
        patch.setattr(demo, "methods", coarse)
        yield out, slicenet("demo", out)


def test_the_demo_ends_with_a_table_a_page_and_the_commands(shown):
    out, done = shown
    assert done.exit_code == 0, done.output
    for name in ("simpleslicenet", "zscore", "histeq", "intensity-gaussian"):
        assert name in done.stdout
        assert list((out / name / "maps").rglob("*_heatmap.nii.gz"))
    assert "say nothing about patients" in done.stdout
    assert f"open {out / 'group.html'}" in done.stdout
    assert "slicenet train" in done.stdout


def test_the_page_is_whole_in_itself(shown):
    page = (shown[0] / "group.html").read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(http|//)""", page)
    assert "say nothing about patients" in page
    assert "not a medical device" in page
    assert page.count("<tr>") == 5 + 6  # backends, then cases, each with a header


def test_every_subject_has_a_page_that_the_group_page_leads_to(shown):
    page = (shown[0] / "group.html").read_text()
    links = re.findall(r'href="(simpleslicenet/[^"]+)"', page)
    assert len(links) == 5
    for one in links:
        subject = (shown[0] / one).read_text()
        assert not re.search(r"""(src|href)\s*=\s*["']?\s*(http|//)""", subject)
        assert (shown[0] / one).parent.joinpath("../../group.html").is_file()


def test_the_picture_shows_lesioned_volumes(shown):
    png = (shown[0] / "strangest.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert width > 900
    assert height > 800


def test_what_the_commands_printed_is_in_the_log(shown):
    assert (shown[0] / "log.txt").read_text().count("$ slicenet ") == 15
