from slicenet.backends.siamese_ocsvm import SiameseOcSvm
from slicenet.recipe import resolve


def test_five_machines_of_500_latents_judge_unless_told_otherwise():
    detector = SiameseOcSvm().build()
    settings = detector.scorer.settings
    assert (settings.scope, settings.members, settings.each, settings.nu) == (
        "shared",
        5,
        500,
        0.03,
    )
    assert detector.extractor.settings.read == ("latent",)


def test_the_small_preset_has_a_machine_for_each_position():
    assert resolve("siamese-ocsvm-small").backend.one_class_svm.scope == "position"


def test_the_published_preset_is_that_of_2023():
    backend = resolve("siamese-ocsvm-published").backend
    assert backend.siamese.coder.edge == 15
    assert backend.siamese.coder.widths == (3, 4, 12, 16)
    assert backend.siamese.learn.steps * 2 * backend.siamese.learn.batch == 20 * 10**6
    assert (backend.siamese.learn.alpha, backend.siamese.learn.likeness) == (0.005, "cosine")
    assert backend.frame.spacing == (1.5, 1.5, 1.5)
    assert backend.siamese.cell == 1.5  # one voxel
    shape = backend.build().frame.shape
    assert shape == (128, 152, 128)
