"""What commands share that take the file of a model: a whole model, or weights alone whose network is known."""

from minicnn.applications.from_weights import build, doubt_of, network_in, of_no_network
from minicnn.cli.console import note
from minicnn.errors import FileFormatError
from minicnn.models import Model, load_model
from minicnn.weights import open_weights


def load(path: str, classifier: bool = False) -> Model:
    """
    The model in a file; of weights alone, the network that their shapes and names tell, as a line on stderr says.

    Raises
    ------
    MinicnnError
        The file is damaged, or its weights are of no known network; or of one without classes, for a `classifier`.
    """
    with open_weights(path) as file:
        whole = file.config is not None
        found = None if whole else network_in(file)
        if not whole and found is None:
            raise of_no_network(file)
    if found is None:
        return load_model(path)
    if classifier and found.classes is None:
        raise FileFormatError(
            f"{path} holds weights of {found}, which names no classes: minicnn finetune PHOTOS --base FILE learns yours"
        )
    doubt = doubt_of(found)
    note(f"{path} holds weights of {found}{f'; {doubt}' if doubt else ''}")
    return build(found, path)
