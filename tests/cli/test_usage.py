"""Wrong usage: the line speaks of the option as it was typed, and names what may have been meant."""

import pytest

from minicnn.cli import main


def refused(capsys, *arguments) -> str:
    """The one line with which the command line refuses."""
    assert main([*arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minicnn: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("minicnn: error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["finetun", "p"], "there is no command 'finetun', did you mean finetune? (see minicnn finetune --help)"),
        (["fly"], "there is no command 'fly': there are demo, finetune, predict, "),
        (["weights", "lst"], "there is no action 'lst', did you mean list? (see minicnn weights list --help)"),
        (["weights", "sell"], "there is no action 'sell': there are list, fetch, path, verify (see minicnn"),
        (["finetune", "p", "--epoch", "3"], "there is no option --epoch, did you mean --epochs? (see minicnn finetune"),
        (["finetune", "p", "--epoch=3"], "there is no option --epoch, did you mean --epochs?"),
        (["finetune", "--fine_epochs", "3"], "there is no option --fine_epochs, did you mean --fine-epochs?"),
        (["predict", "--jsn"], "there is no option --jsn, did you mean --json? (see minicnn predict --help)"),
        (["predict", "m", "p", "-q"], "there is no option -q (see minicnn predict --help)"),
        (
            ["weights", "list", "--jsno"],
            "there is no option --jsno, did you mean --json? (see minicnn weights list --h",
        ),
        (["predict", "--model", "a.h5", "b.jpg"], "there is no option --model (see minicnn predict --help)"),
        (["--verion"], "there is no option --verion, did you mean --version? (see minicnn --help)"),
        (["summary", "m.keras", "n.keras"], "unexpected 'n.keras' (see minicnn summary --help)"),
        (
            ["finetune", "p", "--resize", "corp"],
            "argument --resize: 'corp' is unknown, did you mean crop? (see minicnn f",
        ),
        (["finetune", "p", "--resize", "zoom"], "argument --resize: 'zoom' is unknown: there are crop, stretch, pad ("),
        (["finetune", "p", "--epo", "3"], "there is no option --epo, did you mean --epochs?"),
    ],
)
def test_what_is_misspelt_is_answered_with_the_nearest(arguments, said, capsys):
    line = refused(capsys, *arguments)
    assert line.startswith(said)
    assert line.endswith(" --help)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["model.keras", "my photos"],
            "'model.keras' is named with --base: minicnn finetune 'my photos' --base model",
        ),
        (
            ["photos", "net.H5"],
            "'net.H5' is named with --base: minicnn finetune photos --base net.H5 (see minicnn",
        ),
        (
            ["ResNet50", "photos"],
            "'ResNet50' is named with --base: minicnn finetune photos --base ResNet50 (see ",
        ),
        (["photos", "bundled"], "minicnn finetune photos --base bundled (see minicnn finetune --help)"),
        (["photos/cat", "photos/dog"], "unexpected 'photos/dog' (see minicnn finetune --help)"),
        (["a.h5", "b.h5"], "unexpected 'b.h5' (see minicnn finetune --help)"),
        (["a.h5", "photos", "more"], "unexpected 'photos' (see minicnn finetune --help)"),
    ],
)
def test_a_base_beside_the_photos_belongs_to_base(words, said, capsys):
    assert said in refused(capsys, "finetune", *words)
    if "--base" in said:
        line = refused(capsys, "extract", *words, "--out", "a.npz")
        assert said.replace("finetune", "extract") in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "argument --epochs: must be a whole number of at least 1; it is '0'"),
        (["--epochs", "many"], "argument --epochs: must be a whole number of at least 1; it is 'many'"),
        (["--batch-size", "0"], "argument --batch-size: must be a whole number of at least 1"),
        (["--size", "0"], "argument --size: must be a whole number from 1 to 10,000; it is '0'"),
        (["--size", "20000"], "argument --size: must be a whole number from 1 to 10,000"),
        (["--dropout", "2"], "argument --dropout: must be a number in [0, 1); it is '2'"),
        (["--dropout", "half"], "argument --dropout: must be a number in [0, 1); it is 'half'"),
        (["--validation", "0"], "argument --validation: must be a number in (0, 1)"),
        (["--learning-rate", "nan"], "argument --learning-rate: must be a number in (0, inf)"),
        (["--learning-rate", "inf"], "argument --learning-rate: must be a number in (0, inf)"),
        (
            ["--folds", "1"],
            "argument --folds: must be 0 (no cross-validation) or a whole number of at least 2; it is '1'",
        ),
        (["--seed", "-1"], "argument --seed: must be a whole number of at least 0"),
        (["--size", "7"], "--size must be at least 32 for MobileNet; it is 7"),
        (["--base", "VGG16", "--size", "7"], "--size must be at least 32 for VGG16; it is 7"),
        (
            ["--base", "bundled", "--weights", "f.h5"],
            "--weights is for a --base with a name, as minicnn models lists them; --base is bundled",
        ),
        (["--fine-epochs", "3"], "--fine-epochs is for fine-tuning: add --unfreeze LAYER"),
        (["--learning-rate", "0.1"], "--learning-rate is for fine-tuning: add --unfreeze LAYER"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_option(arguments, said, capsys):
    assert refused(capsys, "finetune", "photos", *arguments).startswith(said)


def test_top_is_a_whole_number_of_at_least_1(capsys):
    assert refused(capsys, "predict", "m", "p", "--top", "0").startswith(
        "argument --top: must be a whole number of at l"
    )


@pytest.mark.parametrize("command", ["finetune", "extract"])
def test_help_says_where_the_bases_are_listed(command, capsys):
    main([command, "--help"])
    said = "vgg16, resnet50 or another that `minicnn models` lists, bundled, or a .keras, .h5 or .safetensors file"
    assert said in " ".join(capsys.readouterr().out.split())
