"""Packages that only these measures need, and that a plain installation therefore lacks."""

from collections.abc import Iterator
from contextlib import contextmanager

from daam_core.errors import ConfigError


@contextmanager
def measuring_packages() -> Iterator[None]:
    """Import captum, quantus or scikit-image in this block, so that a missing one is one clear sentence.

    Raises:
        ConfigError: a package is missing.
    """
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"Measuring faithfulness needs the package {error.name or error}, which is not installed here; "
            "it comes with: pip install 'daam-explorer[faithfulness]'"
        ) from error


def check_packages() -> None:
    """Refuse before anything is measured.

    Raises:
        ConfigError: a package is missing.
    """
    with measuring_packages():
        import captum.attr  # noqa: F401
        import quantus  # noqa: F401
        import skimage.metrics  # noqa: F401
