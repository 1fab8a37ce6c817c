import math

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from slicenet.errors import ConfigError
from slicenet.extractors.encoder import Encoder, EncoderSettings
from slicenet.extractors.kinship import Embedder, KinshipSettings, Twins, ascend, learn_kinship
from slicenet.extractors.likeness import Bank, unlikeness
from slicenet.extractors.processes import sum_gradients
from slicenet.resampling import smooth
from slicenet.views import Chance, ViewSettings
from slicenet.watch import silent

TINY = EncoderSettings(width=4, strides=(2, 2, 1, 1, 1))
CPU = torch.device("cpu")
OWN = torch.arange(6)  # each brain on the shelf of its own subject
VIEWS = ViewSettings(swap=Chance(0.0, 0.0), cut=Chance(0.5, 8.0))


class Brains:
    """What `Twins` needs of a shelf, and can be handed to another process."""

    spacing = (6.0, 6.0, 6.0)

    def __init__(self, brains):
        self.brains = brains

    def __len__(self):
        return len(self.brains)

    def __getitem__(self, index):
        return self.brains[index]


@pytest.fixture
def shelf(make_brain):
    def make(count=6):
        brain = make_brain(shape=(16, 20, 16), spacing=6.0).brain
        draws = [torch.Generator().manual_seed(seed) for seed in range(count)]
        own = [smooth(torch.randn(1, 16, 20, 16, generator=draw), (2, 2, 2)) * 8 for draw in draws]
        return Brains([(voxels * brain, brain) for voxels in own])

    return make


def embedder(seed=0):
    torch.manual_seed(seed)
    return Embedder(Encoder(1, TINY), (16, 8), 2)


def settings(**more):
    return KinshipSettings(**({"steps": 2, "batch": 4, "bank": 16, "head": (16, 8),
                               "views": VIEWS} | more))  # fmt: skip


def gradients(network):
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def step(shelf, chunk=4, owners=OWN, bank=None):
    network, bank = embedder(), bank or Bank.empty(8, CPU)
    twins = Twins(shelf(), owners, settings(chunk=chunk), 0, CPU)
    loss, bank = ascend(network, twins, 0, [3, 1, 0, 5], bank)
    return gradients(network), loss, bank


def test_a_head_begins_where_brains_differ(shelf):
    network, brains = embedder(), [voxels for voxels, _ in shelf().brains]
    alike = torch.nn.functional.cosine_similarity
    before = network(torch.stack(brains)).detach()
    network.meet(brains)
    seen = network.seen(torch.stack(brains)).detach()
    assert torch.allclose(network.centre, seen.mean(0), atol=1e-5)
    assert torch.allclose(network.scale, seen.std(0), rtol=1e-3)
    after = network(torch.stack(brains)).detach()
    assert alike(before[:1], before[1:]).mean() > 0.95
    assert alike(after[:1], after[1:]).mean() < 0.7


@pytest.mark.parametrize("chunk", [1, 3, 8])
def test_chunks_of_any_size_give_the_gradient_of_the_whole_batch(shelf, chunk):
    network = embedder()
    twins = Twins(shelf(), OWN, settings(), 0, CPU)
    first, second = (
        network(torch.stack([twins.at(0, subject, late) for subject in (3, 1, 0, 5)]))
        for late in (False, True)
    )
    loss = unlikeness(first, second, torch.tensor([3, 1, 0, 5]), Bank.empty(8, CPU), 0.1)
    loss.backward()
    found, told, bank = step(shelf, chunk)
    assert told.item() == pytest.approx(loss.item(), rel=1e-5)
    assert torch.allclose(found, gradients(network), rtol=1e-3, atol=1e-5)
    assert bank.owners.tolist() == [3, 1, 0, 5] * 2


def test_two_visits_of_one_person_are_never_each_others_negatives(shelf):
    # In the step are 3 and 1 of one subject, and 0 and 5 are others; of one of them is the bank.
    owners = torch.tensor([4, 7, 2, 7, 1, 5])
    bank = Bank.empty(8, CPU).after(torch.randn(3, 8), torch.tensor([7, 4, 9]), 16)
    network, twins = embedder(), Twins(shelf(), owners, settings(), 0, CPU)
    views = [
        network(torch.stack([twins.at(0, place, late) for place in (3, 1, 0, 5)]))
        for late in (False, True)
    ]
    wanted = unlikeness(*views, torch.tensor([7, 7, 4, 5]), bank, 0.1)
    found = step(shelf, owners=owners, bank=bank)
    assert found[1].item() == pytest.approx(wanted.item(), rel=1e-5)
    assert found[2].owners.tolist() == [7, 4, 9] + [7, 7, 4, 5] * 2
    assert found[1] < step(shelf, bank=bank)[1]  # fewer negatives


def test_brains_of_one_subject_alone_cannot_be_told_apart(shelf):
    with pytest.raises(ConfigError, match="two subjects"):
        learn_kinship(embedder().encoder, shelf(), ["p1"] * 6, settings(), 0, silent)


def test_every_volume_is_seen_once_an_epoch_and_views_follow_from_their_place(shelf):
    twins = Twins(shelf(), OWN, settings(batch=3), 0, CPU)
    epochs = [twins.places(step) for step in range(4)]
    assert [epoch for epoch, _ in epochs] == [0, 0, 1, 1]
    assert sorted(epochs[0][1] + epochs[1][1]) == list(range(6))
    assert torch.equal(twins.at(2, 1, True), twins.at(2, 1, True))
    assert not torch.equal(twins.at(2, 1, True), twins.at(3, 1, True))
    assert torch.equal(twins.at(2, 1, False), twins.at(3, 1, False))  # as it is


def test_both_views_change_where_the_settings_say_so(shelf):
    twins = Twins(shelf(), OWN, settings(both=True), 0, CPU)
    plain = Twins(twins.shelf, OWN, settings(), 0, CPU).at(0, 1, False)
    views = twins.at(0, 1, False), twins.at(0, 1, True)
    assert not torch.equal(views[0], plain)
    assert not torch.equal(*views)


def test_a_network_comes_to_know_its_subjects_again(shelf):
    encoder = embedder().encoder
    before = encoder.layers[0][0][0].weight.clone()
    losses = []
    # These brains are smaller than a head's: what moves a head a little moves them far.
    gentle = ViewSettings(
        affine=Chance(0.9, 0.3), elastic=Chance(0.0, 0.0), swap=Chance(0.0, 0.0),
        cut=Chance(0.5, 8.0),
    )  # fmt: skip
    found = learn_kinship(
        encoder, shelf(), "abcdef", settings(steps=100, rate=2e-3, bank=0, views=gentle), 0,
        lambda stage, done, total, **values: losses.append(values.get("loss", math.nan)),
    )  # fmt: skip
    assert not torch.equal(encoder.layers[0][0][0].weight, before)
    assert sum(losses[90:100]) < 0.5 * sum(losses[:10])
    assert found >= 0.5  # a sixth by chance


def test_one_brain_cannot_be_told_from_others(shelf):
    with pytest.raises(ConfigError, match="two subjects"):
        learn_kinship(embedder().encoder, shelf(1), "a", settings(), 0, silent)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch": 1},
        {"temperature": 0.0},
        {"bank": -1},
        {"chunk": 0},
        {"head": ()},
        {"parts": 0},
    ],
)
def test_settings_that_learn_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        settings(**wrong)


def test_two_processes_give_the_gradient_of_one_with_the_whole_batch(shelf, tmp_path):
    wanted, loss, bank = step(shelf, 4)
    multiprocessing.spawn(_half, (tmp_path, shelf()), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert torch.allclose(found["gradients"], wanted, rtol=1e-3, atol=1e-5)
        assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-5)
        assert torch.allclose(found["bank"], bank.vectors, atol=1e-6)


def _half(rank, folder, brains):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    network = embedder()
    twins = Twins(brains, OWN, settings(chunk=2), 0, CPU)
    loss, bank = ascend(network, twins, 0, [3, 1, 0, 5], Bank.empty(8, CPU))
    sum_gradients(network)
    torch.save({"gradients": gradients(network), "loss": loss, "bank": bank.vectors},
               folder / f"{rank}.pt")  # fmt: skip
    dist.destroy_process_group()
