import json

import pytest

from slicenet.report.writing import write_report


def test_every_case_has_a_page_and_all_have_one(make_out, tmp_path):
    made = make_out(tmp_path)
    done = write_report(made.folder, made.data)
    wanted = [made.folder / f"sub-{n}/anat/sub-{n}_report.html" for n in (1, 2)]
    assert done.pages == (*wanted, made.folder / "group.html")
    assert all(path.is_file() for path in done.pages)
    assert "of truth" in wanted[0].read_text()
    assert "of truth" not in wanted[1].read_text()


def test_only_what_changes_is_written_again(make_out, tmp_path):
    made = make_out(tmp_path)
    first = write_report(made.folder)
    assert set(first.changed) == set(first.pages)
    assert write_report(made.folder).changed == ()
    sidecar = next(made.folder.rglob("sub-2*heatmap.json"))
    content = json.loads(sidecar.read_text())
    content["warnings"] = [{"code": "W_X", "message": "look again"}]
    sidecar.write_text(json.dumps(content))
    again = write_report(made.folder).changed
    assert [path.name for path in again] == ["sub-2_report.html", "group.html"]


def test_a_damaged_map_is_a_failure_and_leaves_no_old_page(make_out, tmp_path):
    made = make_out(tmp_path)
    write_report(made.folder)
    heatmap = next(made.folder.rglob("sub-1*heatmap.nii.gz"))
    heatmap.write_bytes(heatmap.read_bytes()[:300])
    done = write_report(made.folder)
    assert [one.name for one in done.broken] == ["sub-1"]
    assert not (made.folder / "sub-1/anat/sub-1_report.html").exists()
    assert "E_TRUNCATED" in (made.folder / "group.html").read_text()


def test_a_sidecar_that_lacks_something_stops_no_other(make_out, tmp_path):
    made = make_out(tmp_path)
    sidecar = next(made.folder.rglob("sub-1*heatmap.json"))
    content = json.loads(sidecar.read_text())
    del content["warnings"]
    sidecar.write_text(json.dumps(content))
    done = write_report(made.folder)
    assert [one.code for one in done.broken] == ["E_UNFINISHED"]
    assert len(done.drawn) == 1


@pytest.mark.parametrize("name", ["sub-1/anat/sub-1_report.html", "group.html"])
def test_g93_a_link_in_the_place_of_a_page_is_replaced_not_followed(make_out, tmp_path, name):
    made = make_out(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (made.folder / name).symlink_to(victim)
    write_report(made.folder)
    assert victim.read_text() == "mine"
    assert not (made.folder / name).is_symlink()
