import numpy as np
import pytest
import torch
from PIL import Image

from slicenet.errors import ConfigError, NoInputError
from slicenet.extractors import picture_folder
from slicenet.extractors.picture_folder import (
    PictureFolderSettings,
    find_pictures,
    read_pictures,
    read_slice,
)
from slicenet.extractors.pictures import PictureSettings
from slicenet.files import digest

SMALL = PictureFolderSettings(size=64)


def draw(path, seed=0, shape=(120, 90), reach=0.8):
    random = np.random.default_rng(seed)
    rows, columns = (np.linspace(-1, 1, edge) for edge in shape)
    inside = rows[:, None] ** 2 + columns**2 < reach**2
    grey = np.where(inside, random.integers(60, 200, shape), 0).astype(np.uint8)
    Image.fromarray(grey).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for index in (10, 2, 1):
        draw(tmp_path / f"no{index}.png", index)
    return tmp_path


def test_pictures_come_in_the_order_that_people_count_in(folder):
    (folder / "notes.txt").write_text("x")
    draw(folder / ".hidden.png")
    draw(folder / "No3.JPG")
    (folder / "yes").mkdir()
    draw(folder / "yes" / "y1.png")
    names = [path.name for path in find_pictures([folder])]
    assert names == ["no1.png", "no2.png", "No3.JPG", "no10.png"]
    assert find_pictures([folder / "no2.png", folder])[0].name == "no2.png"
    assert len(find_pictures([folder / "no2.png", folder])) == 4
    assert find_pictures([folder / "absent"]) == ()


def test_inside_the_head_median_and_quartiles_are_those_of_the_frame(folder):
    voxels, brain = read_slice(folder / "no1.png", 120, PictureSettings())  # as large as it is
    low, middle, high = np.quantile(voxels[0][brain].numpy(), (0.25, 0.5, 0.75))
    assert middle == pytest.approx(0, abs=1e-6)
    assert high - low == pytest.approx(1, abs=1e-5)
    assert (voxels[0][~brain] == 0).all()
    grey = np.asarray(Image.open(folder / "no1.png"), dtype=float)
    inside = brain.numpy()[:, 15:105]
    both = np.corrcoef(grey[inside], voxels[0, :, 15:105].numpy()[inside])
    assert both[0, 1] == pytest.approx(1, abs=1e-6)
    assert (grey[inside] > 0).mean() > 0.97  # hardly any background


def test_half_a_size_is_the_same_up_to_the_scaling(folder):
    voxels, brain = read_slice(folder / "no1.png", 64, PictureSettings())
    whole, _ = read_slice(folder / "no1.png", 128, PictureSettings())
    halved = torch.nn.functional.avg_pool2d(whole[None], 2)[0, 0]
    assert torch.corrcoef(torch.stack((voxels[0][brain], halved[brain])))[0, 1] > 0.9


def test_pictures_keep_their_proportions_and_stand_in_the_middle(tmp_path):
    path = draw(tmp_path / "one.png", shape=(200, 100), reach=0.9)
    _, brain = read_slice(path, 64, PictureSettings())
    rows, columns = brain.any(1).nonzero()[:, 0], brain.any(0).nonzero()[:, 0]
    assert (int(rows.max()) - int(rows.min()) + 1) == pytest.approx(0.9 * 64, abs=2)
    assert (int(columns.max()) - int(columns.min()) + 1) == pytest.approx(0.9 * 32, abs=2)
    assert float(columns.float().mean()) == pytest.approx(31.5, abs=1)
    assert float(rows.float().mean()) == pytest.approx(31.5, abs=1)


def test_a_pool_of_them_is_one_plane_of_square_pixels(folder):
    found = read_pictures(find_pictures([folder]), SMALL)
    assert found.pool.voxels.shape == (3, 1, 64, 64)
    assert found.pool.voxels.dtype == torch.float16
    assert found.pool.volume.tolist() == [0, 1, 2]
    assert found.pool.spacing == (230 / 64, 230 / 64)
    assert found.files == tuple(digest(path) for path in find_pictures([folder]))
    pictures = found.pool.pictures(PictureSettings())
    assert pictures.shape == (3, 3, 64, 64)


def test_extremes_become_black_and_white_where_that_is_wanted(folder):
    picture = PictureSettings(scale="extremes")
    found = read_pictures(find_pictures([folder]), SMALL, picture)
    for voxels, brain in zip(found.pool.voxels[:, 0], found.pool.brain, strict=True):
        assert [float(voxels[brain].min()), float(voxels[brain].max())] == [-3, 3]


def test_the_broken_and_the_twins_are_left_out_and_named(folder, told):
    (folder / "no4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "no5.png").write_bytes((folder / "no2.png").read_bytes())
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(folder / "no6.png")
    found = read_pictures(find_pictures([folder]), SMALL, watch=told)
    assert [(name, error.code) for name, error in found.failures] == [
        ("no4.png", "E_PICTURE"), ("no6.png", "E_EMPTY")
    ]  # fmt: skip
    assert {error.__traceback__ for _, error in found.failures} == {None}  # it holds the pictures
    assert [notice.message for notice in found.notices] == [
        "no5.png: the same file as no2.png, left out"
    ]
    assert (len(found.pool), len(found.files)) == (3, 3)
    assert [step["done"] for step in told.told] == [1, 2, 3, 4, 5, 6]


def test_the_first_by_name_are_taken_where_fewer_are_wanted(folder):
    paths = find_pictures([folder])
    found = read_pictures(paths, PictureFolderSettings(size=64, count=2))
    assert found.files == tuple(digest(folder / name) for name in ("no1.png", "no2.png"))


def test_more_than_memory_is_set_aside_for_is_refused_before_any_is_read(folder, monkeypatch):
    monkeypatch.setattr(picture_folder, "LARGEST", 2 * 64**2)
    with pytest.raises(ConfigError, match="3 pictures, and memory is set aside for 2"):
        read_pictures(find_pictures([folder]), SMALL)
    assert len(read_pictures(find_pictures([folder]), PictureFolderSettings(64, count=2)).pool) == 2


def test_a_folder_without_any_picture_that_could_be_read_is_told(tmp_path):
    with pytest.raises(NoInputError, match="no picture among"):
        read_pictures((), SMALL)
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(NoInputError, match="no picture could be read"):
        read_pictures([tmp_path / "a.png"], SMALL)


@pytest.mark.parametrize("wrong", [{"size": 100}, {"size": 0}, {"width": 0.0}, {"count": -1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        PictureFolderSettings(**wrong)
