import json
import tomllib


def test_the_printed_settings_are_toml_with_origins(slicenet, tmp_path):
    done = slicenet("config", "--backend", "zscore", "--set", "zscore.prior=9")
    assert tomllib.loads(done.stdout)["zscore"]["prior"] == 9.0
    assert "prior = 9.0  # --set" in done.stdout
    (tmp_path / "again.toml").write_text(done.stdout)
    again = slicenet("config", "--config", tmp_path / "again.toml", "--json")
    report = json.loads(again.stdout)
    assert report["settings"] == tomllib.loads(done.stdout)
    assert report["origins"]["zscore.prior"] == str(tmp_path / "again.toml")


def test_77_a_misspelt_setting_ends_with_2(slicenet):
    done = slicenet("config", "--backend", "zscore", "--set", "zscore.pior=9")
    assert done.exit_code == 2
    assert "did you mean prior?" in done.stderr
