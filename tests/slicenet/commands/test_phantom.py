import json
import shutil
import subprocess
import sys

import pytest

TINY = ("--spacing", 6, "--template", "procedural", "--workers", 0)


@pytest.fixture(scope="module")
def tree(slicenet, tmp_path_factory):
    out = tmp_path_factory.mktemp("phantoms")
    done = slicenet("phantom", out, "--healthy", 2, "--lesioned", 1, *TINY)
    assert done.exit_code == 0, done.output
    return out, done


def test_the_summary_counts_and_says_that_phantoms_are_no_patients(tree):
    text = tree[1].stdout
    assert "2 healthy and 1 lesioned brains, T1w, 6 mm" in text
    assert "Phantoms say nothing about patients." in text


def test_check_finds_every_case_good(slicenet, tree):
    done = slicenet("check", tree[0])
    assert done.exit_code == 0, done.output


def test_the_same_command_keeps_what_is_there_and_another_is_refused(slicenet, tree):
    command = ("phantom", tree[0], "--healthy", 2, *TINY)
    again = slicenet(*command, "--lesioned", 1, "--json")
    assert json.loads(again.stdout)["skipped"] == 3
    refused = slicenet(*command, "--lesioned", 2)
    assert refused.exit_code == 2
    assert "lesioned" in refused.stderr


def test_several_contrasts_and_any_setting_can_be_asked_for(slicenet, tmp_path):
    done = slicenet(
        "phantom", tmp_path, "--healthy", 0, "--lesioned", 1, *TINY, "--mass-effect",
        "--contrast", "FLAIR", "--contrast", "T2w", "--set", "most_lesions=1", "--json",
    )  # fmt: skip
    summary = json.loads(done.stdout)
    assert summary["contrasts"] == ["FLAIR", "T2w"]
    assert summary["mean_lesion_volume"] > 0
    assert len(list(tmp_path.rglob("*_FLAIR.nii.gz"))) == 1
    made = json.loads((tmp_path / "phantom.json").read_text())
    assert (made["mass_effect"], made["most_lesions"]) == (True, 1)


def test_lesions_go_into_a_base_and_stay_off_its_folder(slicenet, tree, tmp_path):
    command = ("--base", tree[0], "--healthy", 1, "--lesioned", 1)
    done = slicenet("phantom", tmp_path / "out", *command)
    assert done.exit_code == 0, done.output
    assert "real scans" in done.stdout
    assert slicenet("phantom", tree[0], *command).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--contrast", "T1"), "contrasts"),
        (("--set", "stength=1"), "did you mean strength"),
        (("--spacing", 0.01), "spacing"),
        (("--healthy", 0, "--lesioned", 0), "0 healthy"),
        (("--base", ".", "--spacing", 3), "--base"),
    ],
)
def test_mistakes_are_usage_errors_in_one_line(slicenet, tmp_path, words, said):
    done = slicenet("phantom", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def unshared():
    """Whether this machine lets a process have mounts of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0


def test_h104_workers_need_no_shared_memory(tmp_path):
    if not unshared():
        pytest.skip("a small /dev/shm cannot be had without mounts of our own")
    small = 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"'
    code = "from slicenet.commands import main; main()"
    command = ["unshare", "-rm", "sh", "-c", small, "sh", sys.executable, "-c", code]
    words = ["phantom", tmp_path, "--healthy", 2, "--lesioned", 0, *TINY, "--workers", 2]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("*_T1w.nii.gz"))) == 2
